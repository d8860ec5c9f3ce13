/** Commands of plugins that may be switched off. */

import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

/** What executes a command; undefined where the plugin that adds it is switched off, or has not begun yet. */
export function commandIfPresent(
  commands: CommandRegistry,
  id: string,
  args?: ReadonlyPartialJSONObject
): (() => void) | undefined {
  return commands.hasCommand(id) ? () => void commands.execute(id, args) : undefined;
}

/** The same of a command about one task, which is named when it is executed. */
export function taskCommandIfPresent(
  commands: CommandRegistry,
  command: string
): ((id: string) => void) | undefined {
  return commands.hasCommand(command) ? id => void commands.execute(command, { id }) : undefined;
}
