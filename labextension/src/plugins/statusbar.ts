/** Adds the number of running, queued and failed tasks to the status bar. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { commandIfPresent } from '../commands/ifpresent';
import { CommandIDs, ITaskModel } from '../tokens';
import { StatusItem } from '../widgets/status';

export const statusbarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:statusbar',
  description: 'Shows the number of running, queued and failed background tasks in the status bar.',
  autoStart: true,
  requires: [ITaskModel],
  // Notebook 7 has no status bar.
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const showPanel = () => commandIfPresent(app.commands, CommandIDs.showPanel)?.();
    statusBar?.registerStatusItem('jupyter-ptytasks:status', {
      item: new StatusItem(model, showPanel, trans),
      align: 'left',
      rank: 4,
      isActive: () => model.tasks.length > 0,
      activeStateChanged: model.changed
    });
  }
};
