/** Runs notebooks as tasks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addNotebookCommand, type IOpenNotebook } from '../commands/notebook';
import { CommandIDs, ITaskModel } from '../tokens';
import { isOnServer } from './drives';

export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:notebook',
  description: 'Runs notebooks as background tasks.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [INotebookTracker, IFileBrowserFactory, ICommandPalette, ITranslator],
  activate: (
    { commands, serviceManager, shell }: JupyterFrontEnd,
    model: ITaskModel,
    notebooks: INotebookTracker | null,
    browsers: IFileBrowserFactory | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { contents, kernelspecs } = serviceManager;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');

    const current = (): IOpenNotebook | null => {
      const panel = notebooks?.currentWidget;
      const path = panel?.context.path ?? '';
      if (!panel || panel !== shell.currentWidget || !isOnServer(contents, path)) {
        return null;
      }
      return {
        path: contents.localPath(path),
        save: async () => {
          if (panel.context.model.dirty) {
            await panel.context.save();
          }
        }
      };
    };

    addNotebookCommand(commands, {
      model,
      trans,
      current,
      selected: () => {
        const [item, ...others] = browsers?.tracker.currentWidget?.selectedItems() ?? [];
        const isOne = item?.type === 'notebook' && others.length === 0;
        return isOne && isOnServer(contents, item.path) ? contents.localPath(item.path) : null;
      },
      read: async path => (await contents.get(path, { type: 'notebook', content: true })).content,
      kernels: async () => {
        await kernelspecs.ready;
        return Object.values(kernelspecs.specs?.kernelspecs ?? {}).flatMap(spec =>
          spec ? [{ name: spec.name, label: spec.display_name }] : []
        );
      }
    });

    palette?.addItem({ command: CommandIDs.runNotebook, category: trans.__('Tasks') });
    // Menus cache whether a command is enabled.
    notebooks?.currentChanged.connect(() => commands.notifyCommandChanged(CommandIDs.runNotebook));
  }
};
