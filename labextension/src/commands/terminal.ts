/** The commands of terminal tabs: open, show why a task failed, jump to commands, copy, paste. */

import type { TranslationBundle } from '@jupyterlab/translation';
import {
  caretDownIcon,
  caretUpIcon,
  copyIcon,
  historyIcon,
  pasteIcon,
  searchIcon,
  terminalIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { CommandIDs } from '../tokens';
import { argumentsOf, TASKS } from './args';

const ACTIVATE: ReadonlyJSONObject = {
  type: 'boolean',
  description: 'Whether to activate the tab (default: true)'
};

const READONLY: ReadonlyJSONObject = {
  type: 'boolean',
  description: 'Whether the tab is read-only'
};

const LINE: ReadonlyJSONObject = {
  type: 'number',
  description: 'The number of the line to show; the first is 0 (default: the end)'
};

const SEARCH: ReadonlyJSONObject = {
  type: 'boolean',
  description: 'Whether to put the cursor into the search field'
};

const FIND: ReadonlyJSONObject = {
  type: 'string',
  description: 'What to search for, from that line on'
};

const REGEX: ReadonlyJSONObject = {
  type: 'boolean',
  description: 'Whether that is a regular expression'
};

const MATCH_CASE: ReadonlyJSONObject = {
  type: 'boolean',
  description: 'Whether uppercase and lowercase letters differ in the search'
};

/** The clipboard functions of a terminal. */
export interface IClip {
  hasSelection(): boolean;
  getSelection(): string | null;
  paste(text: string): void;
}

/** A place in the whole output: a line, the search field, and what to search for from there on. */
interface IPlace {
  line?: number;
  search?: boolean;
  find?: { q: string; isRegex: boolean; matchesCase: boolean };
}

export interface ITerminalCommandsOptions {
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Open the tab of a task, or reveal it. */
  open: (id: string, readonly: boolean, activate: boolean) => Promise<void>;
  /** Open the tab of a task at the line with the error. */
  showReason: (id: string) => Promise<void>;
  /** Return whether there may be such a line. */
  isExplained: (id: string) => boolean;
  /** Show the whole output in the tab of a task, at a line or for a search. */
  showOutput: (id: string, place: IPlace) => Promise<void>;
  /** Show earlier screens in the tab of a task. */
  showMoments: (id: string) => Promise<void>;
  /** Return the task ids for commands without arguments. */
  targets: () => string[];
  /** Return the terminal of the current tab, and whether it is read-only. */
  current: () => { terminal: IClip; isReadonly: boolean } | null;
  /** Return the current tab if its shell marks commands, to jump to the previous (-1) or next (1) one. */
  jumper: () => { jumpToCommand: (step: -1 | 1) => void } | null;
}

export function addTerminalCommands(options: ITerminalCommandsOptions): IDisposable {
  const added = new DisposableSet();
  addOpening(options, added);
  addJumping(options, added);
  addClipboard(options, added);
  return added;
}

function addOpening(options: ITerminalCommandsOptions, added: DisposableSet): void {
  const { commands, trans } = options;
  const targets = (args: ReadonlyPartialJSONObject): string[] =>
    argumentsOf(args) ?? options.targets();
  const open = async (args: ReadonlyPartialJSONObject, readonly: boolean): Promise<void> => {
    for (const id of targets(args)) {
      await options.open(id, readonly, args.activate !== false);
    }
  };
  const properties = { ...(TASKS.properties as ReadonlyJSONObject), activate: ACTIVATE };

  added.add(
    commands.addCommand(CommandIDs.open, {
      label: trans.__('Open in Terminal'),
      caption: trans.__('Open the terminal of the task, or show it if it is already open'),
      icon: terminalIcon,
      describedBy: {
        args: { type: 'object', properties: { ...properties, readonly: READONLY } }
      },
      isEnabled: args => targets(args).length > 0,
      execute: args => open(args, args.readonly === true)
    })
  );
  added.add(
    commands.addCommand(CommandIDs.openReadonly, {
      label: trans.__('Open Read-Only'),
      caption: trans.__('Open a terminal that shows the task but takes no input'),
      icon: terminalIcon,
      describedBy: { args: { type: 'object', properties } },
      isEnabled: args => targets(args).length > 0,
      execute: args => open(args, true)
    })
  );
  added.add(
    commands.addCommand(CommandIDs.showOutput, {
      label: args =>
        args.search === true ? trans.__('Find in Whole Output…') : trans.__('Show Whole Output'),
      caption: trans.__('Show and search all output of the task that is kept'),
      icon: searchIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            ...(TASKS.properties as ReadonlyJSONObject),
            line: LINE,
            search: SEARCH,
            find: FIND,
            regex: REGEX,
            matchCase: MATCH_CASE
          }
        }
      },
      isEnabled: args => targets(args).length === 1,
      execute: async args => {
        const [id] = targets(args);
        if (id) {
          const line = typeof args.line === 'number' ? args.line : undefined;
          const find =
            typeof args.find === 'string' && args.find
              ? {
                  q: args.find,
                  isRegex: args.regex === true,
                  matchesCase: args.matchCase === true
                }
              : undefined;
          await options.showOutput(id, { line, search: args.search === true, find });
        }
      }
    })
  );
  added.add(
    commands.addCommand(CommandIDs.showMoments, {
      label: trans.__('Show Earlier Screens'),
      caption: trans.__('Show the screen of the task as it was at an earlier time'),
      icon: historyIcon,
      describedBy: { args: TASKS },
      isEnabled: args => targets(args).length === 1,
      execute: async args => {
        const [id] = targets(args);
        if (id) {
          await options.showMoments(id);
        }
      }
    })
  );
  added.add(
    commands.addCommand(CommandIDs.showReason, {
      label: trans.__('Show Why It Failed'),
      caption: trans.__('Open the terminal at the line that says why the task failed'),
      icon: terminalIcon,
      describedBy: { args: TASKS },
      isEnabled: args => targets(args).length === 1 && targets(args).every(options.isExplained),
      execute: async args => {
        const [id] = targets(args);
        if (id) {
          await options.showReason(id);
        }
      }
    })
  );
}

function addJumping(options: ITerminalCommandsOptions, added: DisposableSet): void {
  const { commands, trans, jumper } = options;
  const add = (
    command: string,
    step: -1 | 1,
    about: Pick<CommandRegistry.ICommandOptions, 'label' | 'caption' | 'icon'>
  ): void => {
    added.add(
      commands.addCommand(command, {
        ...about,
        describedBy: { args: { type: 'object', properties: {} } },
        isEnabled: () => jumper() !== null,
        isVisible: () => jumper() !== null,
        execute: () => jumper()?.jumpToCommand(step)
      })
    );
  };
  add(CommandIDs.previousCommand, -1, {
    label: trans.__('Previous Command'),
    caption: trans.__('Scroll the terminal to the previous command of its shell'),
    icon: caretUpIcon
  });
  add(CommandIDs.nextCommand, 1, {
    label: trans.__('Next Command'),
    caption: trans.__('Scroll the terminal to the next command of its shell, or to its end'),
    icon: caretDownIcon
  });
}

function addClipboard(options: ITerminalCommandsOptions, added: DisposableSet): void {
  const { commands, trans, current } = options;
  const describedBy = { args: { type: 'object', properties: {} } };
  added.add(
    commands.addCommand(CommandIDs.copySelection, {
      label: trans.__('Copy'),
      caption: trans.__('Copy the selected text of the terminal'),
      icon: copyIcon,
      describedBy,
      isEnabled: () => current()?.terminal.hasSelection() ?? false,
      execute: async () => {
        const text = current()?.terminal.getSelection();
        if (text) {
          await navigator.clipboard.writeText(text);
        }
      }
    })
  );
  added.add(
    commands.addCommand(CommandIDs.paste, {
      label: trans.__('Paste'),
      caption: trans.__('Paste into the terminal'),
      icon: pasteIcon,
      describedBy,
      isEnabled: () => current()?.isReadonly === false,
      execute: async () => {
        const text = await navigator.clipboard.readText();
        current()?.terminal.paste(text);
      }
    })
  );
}
