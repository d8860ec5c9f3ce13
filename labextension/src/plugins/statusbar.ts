/** Shows the number of running, queued and unseen failed tasks in the status bar. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { commandIfPresent } from '../commands/ifpresent';
import { CommandIDs, ISeenTasks, ITaskModel } from '../tokens';
import { StatusItem } from '../widgets/status';

export const statusbarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:statusbar',
  description: 'Shows the number of running, queued and failed background tasks in the status bar.',
  autoStart: true,
  requires: [ITaskModel],
  // Notebook 7 has no status bar.
  optional: [ISeenTasks, IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    seen: ISeenTasks | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const show = (args?: { ids: string[]; label: string }) =>
      commandIfPresent(app.commands, CommandIDs.showPanel, args)?.();
    statusBar?.registerStatusItem('jupyter-ptytasks:status', {
      item: new StatusItem({ model, seen, show, trans }),
      align: 'left',
      rank: 4,
      isActive: () => model.tasks.length > 0,
      activeStateChanged: model.changed
    });
  }
};
