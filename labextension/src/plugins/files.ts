/** Runs files of the file browser, and files and selections of editors. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IEditorTracker } from '@jupyterlab/fileeditor';
import type { Contents } from '@jupyterlab/services';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addFileCommands, type IOpenFile } from '../commands/files';
import { TaskSettings } from '../services/settings';
import { CommandIDs, ITaskModel } from '../tokens';
import { isOnServer } from './drives';

/** Return the file in the current tab if that is an editor. */
function editedFile(app: JupyterFrontEnd, editors: IEditorTracker): IOpenFile | null {
  const widget = editors.currentWidget;
  const { contents } = app.serviceManager;
  if (!widget || widget !== app.shell.currentWidget || !isOnServer(contents, widget.context.path)) {
    return null;
  }
  const { context, content } = widget;
  const { editor } = content;
  const { start, end } = editor.getSelection();
  const from = editor.getOffsetAt(start);
  const to = editor.getOffsetAt(end);
  return {
    path: contents.localPath(context.path),
    text:
      from === to
        ? (editor.getLine(start.line) ?? '')
        : editor.model.sharedModel.getSource().slice(Math.min(from, to), Math.max(from, to)),
    save: async () => {
      if (context.model.dirty) {
        await context.save();
      }
    }
  };
}

export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:files',
  description: 'Runs files and selected text as background tasks.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [IFileBrowserFactory, IEditorTracker, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    browsers: IFileBrowserFactory | null,
    editors: IEditorTracker | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const { contents } = app.serviceManager;
    const settings = new TaskSettings(registry);

    const selected = (): string[] => {
      const items = [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])];
      const isRunnable = (item: Contents.IModel) =>
        item.type !== 'directory' && isOnServer(contents, item.path);
      return items.every(isRunnable) ? items.map(item => contents.localPath(item.path)) : [];
    };

    addFileCommands(app.commands, {
      model,
      settings,
      trans: (translator ?? nullTranslator).load('jupyter_ptytasks'),
      selected,
      edited: () => (editors ? editedFile(app, editors) : null)
    });

    // Menus cache whether a command is enabled.
    const notify = () => {
      app.commands.notifyCommandChanged(CommandIDs.runFile);
      app.commands.notifyCommandChanged(CommandIDs.runFileWith);
      app.commands.notifyCommandChanged(CommandIDs.queueFile);
    };
    settings.changed.connect(notify);
    editors?.currentChanged.connect(() => {
      notify();
      app.commands.notifyCommandChanged(CommandIDs.runSelection);
    });
  }
};
