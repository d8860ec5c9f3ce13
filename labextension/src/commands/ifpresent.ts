/** Calls of commands whose plugins may be disabled. */

import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

/** Return a function that executes a command; undefined if its plugin is disabled or not activated yet. */
export function commandIfPresent(
  commands: CommandRegistry,
  id: string,
  args?: ReadonlyPartialJSONObject
): (() => void) | undefined {
  return commands.hasCommand(id) ? () => void commands.execute(id, args) : undefined;
}

/** Return a function that executes a command for a task id; undefined as above. */
export function taskCommandIfPresent(
  commands: CommandRegistry,
  command: string
): ((id: string) => void) | undefined {
  return commands.hasCommand(command) ? id => void commands.execute(command, { id }) : undefined;
}

/** Return a function that executes a command with the arguments that `argsOf` returns; undefined as above. */
export function commandWith<T extends unknown[]>(
  commands: CommandRegistry,
  command: string,
  argsOf: (...given: T) => ReadonlyPartialJSONObject
): ((...given: T) => void) | undefined {
  return commands.hasCommand(command)
    ? (...given) => void commands.execute(command, argsOf(...given))
    : undefined;
}
