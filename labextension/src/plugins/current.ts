/** The tasks for commands without arguments: those selected in the panel, or the task of the current tab. */

import type { JupyterFrontEnd } from '@jupyterlab/application';

import type { ITask } from '../services/types/tasks';
import type { ITaskModel, ITasksPanel } from '../tokens';

export function currentTasks(
  shell: JupyterFrontEnd.IShell,
  model: ITaskModel,
  panel: ITasksPanel | null
): readonly ITask[] {
  if (panel?.isVisible && panel.selected.length > 0) {
    return panel.selected;
  }
  const task = model.get(shell.currentWidget?.node.dataset.ptytask ?? '');
  return task ? [task] : [];
}
