/** Provides the failed tasks that the user has not seen yet. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';

import { SeenTasks } from '../services/seen';
import { shownTasks } from '../services/visible';
import { CommandIDs, ISeenTasks, ITaskModel } from '../tokens';

/** The commands that show a task. */
const SHOWING: readonly string[] = [
  CommandIDs.open,
  CommandIDs.openReadonly,
  CommandIDs.showReason,
  CommandIDs.showOutput,
  CommandIDs.showMoments,
  CommandIDs.showMetrics,
  CommandIDs.details
];

export const seenPlugin: JupyterFrontEndPlugin<ISeenTasks> = {
  id: 'jupyter-ptytasks:seen',
  description: 'Remembers which failed background tasks you have seen.',
  autoStart: true,
  provides: ISeenTasks,
  requires: [ITaskModel],
  optional: [IStateDB],
  activate: (
    { commands, shell }: JupyterFrontEnd,
    model: ITaskModel,
    state: IStateDB | null
  ): ISeenTasks => {
    const seen = new SeenTasks(model, state);
    const look = () => void shownTasks().then(ids => seen.see(ids));
    commands.commandExecuted.connect((_, { id, result }) => {
      if (SHOWING.includes(id)) {
        void result.then(look, () => undefined);
      }
    });
    shell.currentChanged?.connect(look);
    model.stateChanged.connect(look);
    document.addEventListener('visibilitychange', look);
    return seen;
  }
};
