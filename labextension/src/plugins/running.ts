/** Lists tasks that have not ended in the running sessions panel. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import { IRunningSessionManagers, type IRunningSessions } from '@jupyterlab/running';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { terminalIcon } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';

import { each } from '../commands/each';
import { commandIfPresent } from '../commands/ifpresent';
import { placeLabel } from '../format/queue';
import { stateLabel } from '../format/times';
import { tasksIcon } from '../icons';
import { isEnded } from '../services/types/states';
import { commandLine, type ITask } from '../services/types/tasks';
import { CommandIDs, ITaskModel } from '../tokens';

export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:running',
  description: 'Lists background tasks in the running sessions panel.',
  autoStart: true,
  requires: [ITaskModel],
  // Most pages of Notebook 7 have no such panel.
  optional: [IRunningSessionManagers, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    managers: IRunningSessionManagers | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const live = () => model.tasks.filter(task => !isEnded(task));

    const stateOf = (task: ITask) =>
      [placeLabel(task, trans), stateLabel(task.state, trans)].filter(part => part).join(' ');

    // JupyterLab renders the whole section on each signal: do not emit it for progress, which is not shown.
    const changed = new Signal<ITaskModel, void>(model);
    let shown = '';
    model.changed.connect(() => {
      const showing = JSON.stringify(live().map(task => [task.id, task.name, stateOf(task)]));
      if (showing !== shown) {
        shown = showing;
        changed.emit();
      }
    });

    const stop = async (tasks: readonly ITask[]) => {
      try {
        await each(tasks, task => model.api.stop(task.id));
      } catch (error) {
        void showErrorMessage(trans.__('A task could not be stopped'), error as Error);
      } finally {
        void model.refresh();
      }
    };

    managers?.add({
      name: trans.__('Background Tasks'),
      running: () =>
        live().map(task => ({
          icon: () => (task.kind === 'shell' ? terminalIcon : tasksIcon),
          label: () => task.name,
          labelTitle: () => commandLine(task),
          detail: () => stateOf(task),
          open: () => commandIfPresent(app.commands, CommandIDs.open, { id: task.id })?.(),
          shutdown: () => void stop([task])
        })),
      runningChanged: changed,
      refreshRunning: () => void model.refresh(),
      shutdownAll: () => void stop(live()),
      shutdownLabel: (item: IRunningSessions.IRunningItem) =>
        trans.__('Stop %1', `${item.label()}`),
      shutdownAllLabel: trans.__('Stop All'),
      shutdownAllConfirmationText: trans.__(
        'Are you sure you want to stop all background tasks? Their output is kept.'
      )
    });
  }
};
