/** Adds the commands that start tasks, with and without the dialog. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { FileDialog, IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addAgainCommand } from '../commands/again';
import { addStartCommands } from '../commands/start';
import { RecentCommands } from '../services/recentcommands';
import { directoryOf } from '../forms/files';
import { CommandIDs, ITaskModel, ITasksPanel } from '../tokens';
import { currentTasks } from './current';

export const startPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:start',
  description: 'Adds the commands that start background tasks.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [IDefaultFileBrowser, IStateDB, ITasksPanel, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    browser: IDefaultFileBrowser | null,
    state: IStateDB | null,
    panel: ITasksPanel | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { contents } = app.serviceManager;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');

    const chooseDirectory = async (from: IDefaultFileBrowser, cwd: string) => {
      // The dialog only shows directories below the server root: otherwise start there.
      const path = PathExt.normalize(cwd);
      const isShown =
        !path.startsWith('/') &&
        (await contents.get(path, { content: false }).then(
          found => found.type === 'directory',
          () => false
        ));
      const { value } = await FileDialog.getExistingDirectory({
        manager: from.model.manager,
        title: trans.__('Working Directory'),
        defaultPath: isShown ? path : '',
        translator: translator ?? undefined
      });
      return value?.length ? directoryOf(contents.localPath(value[0].path)) : null;
    };

    const common = {
      model,
      history: new RecentCommands(state),
      trans,
      chooseDirectory: browser ? (cwd: string) => chooseDirectory(browser, cwd) : undefined
    };
    addStartCommands(app.commands, {
      ...common,
      directory: () => (browser ? contents.localPath(browser.model.path) : '')
    });
    addAgainCommand(app.commands, {
      ...common,
      current: () => currentTasks(app.shell, model, panel)
    });
    palette?.addItem({ command: CommandIDs.editAgain, category: trans.__('Tasks') });
  }
};
