/** Provides the task model. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { TaskModel } from '../services/model';
import { ITaskModel } from '../tokens';

export const modelPlugin: JupyterFrontEndPlugin<ITaskModel> = {
  id: 'jupyter-ptytasks:plugin',
  description: 'Keeps the list of background tasks up to date.',
  autoStart: true,
  provides: ITaskModel,
  activate: (app: JupyterFrontEnd): ITaskModel => {
    const { serverSettings, events, connectionFailure } = app.serviceManager;
    const model = new TaskModel({ serverSettings, events });
    // Any failed request of JupyterLab may come before the next poll.
    connectionFailure.connect(() => void model.refresh());
    return model;
  }
};
