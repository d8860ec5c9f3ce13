/** The command that runs a notebook as a task. */

import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { tasksIcon } from '../icons';
import { CommandIDs, type ITaskModel } from '../tokens';
import type { IKernel } from '../widgets/dialogs/runnotebook';
import { createIn, openTerminal, placesOf, queuesOf } from './start';

export interface INotebookOptions {
  model: ITaskModel;
  trans: TranslationBundle;
  /** Return the notebook of the current tab; null if that is not a notebook. */
  current: () => IOpenNotebook | null;
  /** Return the path of the notebook selected in the file browser; null unless exactly one is. */
  selected: () => string | null;
  /** Return the content of the notebook at a path. */
  read: (path: string) => Promise<unknown>;
  kernels: () => Promise<IKernel[]>;
}

/** An open notebook; its path is relative to the server root. */
export interface IOpenNotebook {
  path: string;
  /** Save changes to the file, which is what is run. */
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
      'Run all cells of the notebook in the background, optionally with different parameters'
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
      const [{ askForNotebook }, { notebookForm }, { sharing }] = await Promise.all([
        import('../widgets/dialogs/runnotebook'),
        import('../forms/notebooks'),
        import('../forms/where')
      ]);
      const answer = await askForNotebook({
        path,
        form: notebookForm(path, content),
        kernels: await kernels(),
        queues: queuesOf(model),
        // The notebook is a file of this machine.
        places: sharing(await placesOf(model)),
        optionsOf: place => model.api.placeOptions(place),
        trans,
        start: (request, group) => createIn(model, request, group)
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
