/** The command that runs a notebook as a task. */

import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { tasksIcon } from '../icons';
import { notebookForm } from '../forms/notebooks';
import { CommandIDs, type ITaskModel } from '../tokens';
import { askForNotebook, type IKernel } from '../widgets/dialogs/runnotebook';
import { openTerminal } from './start';

export interface INotebookOptions {
  model: ITaskModel;
  trans: TranslationBundle;
  /** The notebook of the current tab; null where that is none. */
  current: () => IOpenNotebook | null;
  /** The path of the notebook that is selected in the file browser; null where it is not one alone. */
  selected: () => string | null;
  /** What is in the notebook of that path. */
  read: (path: string) => Promise<unknown>;
  kernels: () => Promise<IKernel[]>;
}

/** A notebook that is open; its path is below the server's root. */
export interface IOpenNotebook {
  path: string;
  /** Writes what has been changed to the file, which is what is run. */
  save: () => Promise<void>;
}

const ARGUMENTS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      description: 'The path of the notebook, relative to the server root'
    },
    source: {
      type: 'string',
      enum: ['browser', 'notebook'],
      description:
        'Where to take the notebook from if no path is given: the file browser selection or the current tab'
    }
  }
};

export function addNotebookCommand(commands: CommandRegistry, options: INotebookOptions): void {
  const { model, trans, current, selected, read, kernels } = options;

  const pathOf = (args: { path?: unknown; source?: unknown }): string | null => {
    if (typeof args.path === 'string') {
      return args.path;
    }
    const path = args.source === 'browser' ? undefined : current()?.path;
    return path ?? (args.source === 'notebook' ? null : selected());
  };

  commands.addCommand(CommandIDs.runNotebook, {
    label: trans.__('Run Notebook as Task…'),
    caption: trans.__(
      'Run all cells of the notebook in the background, optionally with other parameters'
    ),
    icon: tasksIcon,
    describedBy: { args: ARGUMENTS },
    isEnabled: args => pathOf(args) !== null,
    isVisible: args => args.source !== 'browser' || pathOf(args) !== null,
    execute: async args => {
      const path = pathOf(args);
      if (path === null) {
        return;
      }
      let content: unknown;
      try {
        const open = current();
        if (open?.path === path) {
          await open.save();
        }
        content = await read(path);
      } catch (error) {
        await showErrorMessage(trans.__('Could not read %1', path), error as Error);
        return;
      }
      const answer = await askForNotebook({
        path,
        form: notebookForm(path, content),
        kernels: await kernels(),
        trans,
        start: request => model.api.create(request)
      });
      if (answer) {
        void model.refresh();
        if (answer.openTerminal) {
          await openTerminal(commands, answer.task);
        }
      }
    }
  });
}
