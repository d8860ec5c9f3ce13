/** Adds the command that imports exported tasks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { fileUploadIcon } from '@jupyterlab/ui-components';

import { taskCommandIfPresent } from '../commands/ifpresent';
import { CommandIDs, ITaskModel } from '../tokens';

export const importPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:import',
  description: 'Adds the command that imports background tasks from files.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    commands.addCommand(CommandIDs.importTask, {
      label: trans.__('Import…'),
      caption: trans.__('Add a task from an exported file'),
      icon: fileUploadIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const files = await chooseFiles();
        try {
          for (const file of files) {
            const { id } = await model.api.import(file);
            await model.refresh();
            taskCommandIfPresent(commands, CommandIDs.details)?.(id);
          }
        } catch (error) {
          await showErrorMessage(
            trans.__('Import Failed'),
            error instanceof Error ? error.message : `${error}`
          );
        }
      }
    });
    palette?.addItem({ command: CommandIDs.importTask, category: trans.__('Tasks') });
  }
};

/** Let the user choose files on their own machine. Return none if the user cancels. */
function chooseFiles(): Promise<File[]> {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = '.gz,application/gzip';
  return new Promise(resolve => {
    input.addEventListener('change', () => resolve([...(input.files ?? [])]));
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}
