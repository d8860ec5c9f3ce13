/** Provides the model of the tasks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { TaskModel } from '../model';
import { ITaskModel } from '../tokens';

export const modelPlugin: JupyterFrontEndPlugin<ITaskModel> = {
  id: 'jupyter-ptytasks:plugin',
  description: 'Keeps the list of background tasks up to date.',
  autoStart: true,
  provides: ITaskModel,
  activate: (app: JupyterFrontEnd): ITaskModel =>
    new TaskModel({
      serverSettings: app.serviceManager.serverSettings,
      events: app.serviceManager.events
    })
};
