/** Adds the command that deletes many finished tasks at once. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';

import { bytes } from '../format/measures';
import { CommandIDs, ITaskModel } from '../tokens';

export const cleanUpPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:cleanup',
  description: 'Adds the command that deletes many finished background tasks at once.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    app.commands.addCommand(CommandIDs.cleanUp, {
      label: trans.__('Clean Up…'),
      caption: trans.__('Delete many finished tasks and their output at once'),
      icon: closeIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const [{ askToCleanUp }, { USUAL }] = await Promise.all([
          import('../widgets/dialogs/cleanup'),
          import('../forms/cleanup')
        ]);
        const done = await askToCleanUp({ form: USUAL, model, trans });
        if (done) {
          void model.refresh();
          Notification.success(
            trans._n(
              '%1 task deleted, %2 freed.',
              '%1 tasks deleted, %2 freed.',
              done.tasks.length,
              bytes(done.size)
            )
          );
        }
      }
    });
    palette?.addItem({ command: CommandIDs.cleanUp, category: trans.__('Tasks') });
  }
};
