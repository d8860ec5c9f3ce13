/** Confirmation dialogs for what cannot be undone. Each names the tasks and what will be lost. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { isEnded } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

/** The most tasks that are named; the others are counted. */
const LISTED = 5;

/** What the user decided about tasks to delete. */
export type Deletion = 'keep' | 'stop' | 'delete';

/** The dialogs; replaced in tests. */
export class ConfirmDialogs {
  constructor(private readonly _trans: TranslationBundle) {}

  stop(tasks: readonly ITask[]): Promise<boolean> {
    const trans = this._trans;
    return this._isSure(
      trans._n('Stop %2?', 'Stop %1 tasks?', tasks.length, quoted(tasks[0])),
      this._about(
        tasks,
        trans.__('Unfinished work will be lost. Its output so far is kept.'),
        trans.__('Unfinished work will be lost. Their output so far is kept.')
      ),
      trans.__('Stop')
    );
  }

  kill(tasks: readonly ITask[]): Promise<boolean> {
    const trans = this._trans;
    return this._isSure(
      trans._n('Kill %2?', 'Kill %1 tasks?', tasks.length, quoted(tasks[0])),
      this._about(
        tasks,
        trans.__('It ends immediately and cannot save its work. Its output so far is kept.'),
        trans.__('They end immediately and cannot save their work. Their output so far is kept.')
      ),
      trans.__('Kill')
    );
  }

  endLeftover(tasks: readonly ITask[]): Promise<boolean> {
    const trans = this._trans;
    const count = tasks.reduce((sum, task) => sum + task.leftover, 0);
    const what = trans._n(
      'The process that is still running will be sent SIGTERM, then SIGKILL after five seconds.',
      'The %1 processes that are still running will be sent SIGTERM, then SIGKILL after five seconds.',
      count
    );
    return this._isSure(
      trans._n(
        'End the leftover processes of %2?',
        'End the leftover processes of %1 tasks?',
        tasks.length,
        quoted(tasks[0])
      ),
      this._about(tasks, what, what),
      trans.__('End')
    );
  }

  restart(tasks: readonly ITask[]): Promise<boolean> {
    const trans = this._trans;
    return this._isSure(
      trans._n('Restart %2?', 'Restart %1 running tasks?', tasks.length, quoted(tasks[0])),
      this._about(
        tasks,
        trans.__(
          'The task is still running. It will be stopped first, and unfinished work will be lost.'
        ),
        trans.__(
          'The tasks are still running. They will be stopped first, and unfinished work will be lost.'
        )
      ),
      trans.__('Restart')
    );
  }

  /** Confirm deleting. Running tasks can be stopped and kept instead. */
  async delete(tasks: readonly ITask[]): Promise<Deletion> {
    const trans = this._trans;
    const running = tasks.filter(task => !isEnded(task)).length;
    const removing = running > 0 ? trans.__('Stop and Delete') : trans.__('Delete');
    const stopping = trans.__('Stop Only');
    const lost = this._lostOutput(tasks);
    const what =
      running > 0
        ? `${trans._n('%1 task is still running.', '%1 tasks are still running.', running)} ${lost}`
        : lost;
    const result = await showDialog({
      title: trans._n('Delete %2?', 'Delete %1 tasks?', tasks.length, quoted(tasks[0])),
      body: this._about(tasks, what, what),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        ...(running > 0 ? [Dialog.warnButton({ label: stopping, actions: ['stop'] })] : []),
        Dialog.warnButton({ label: removing, actions: ['delete'] })
      ],
      defaultButton: 0
    });
    const [action] = result.button.actions;
    return action === 'stop' || action === 'delete' ? action : 'keep';
  }

  private _lostOutput(tasks: readonly ITask[]): string {
    const trans = this._trans;
    const lines = tasks.reduce((sum, task) => sum + task.output.lines, 0);
    return lines === 0
      ? trans.__('Deleting cannot be undone.')
      : trans._n(
          '%2 line of output will be permanently deleted.',
          '%2 lines of output will be permanently deleted.',
          lines,
          lines.toLocaleString()
        );
  }

  /** Return the consequences and, for several tasks, their names. */
  private _about(tasks: readonly ITask[], one: string, many: string): JSX.Element {
    if (tasks.length === 1) {
      return <p>{one}</p>;
    }
    const more = tasks.length - LISTED;
    return (
      <>
        <p>{many}</p>
        <ul>
          {tasks.slice(0, LISTED).map(task => (
            <li key={task.id}>{task.name}</li>
          ))}
          {more > 0 && <li>{this._trans._n('%1 more', '%1 more', more)}</li>}
        </ul>
      </>
    );
  }

  private async _isSure(title: string, body: JSX.Element, label: string): Promise<boolean> {
    const result = await showDialog({
      title,
      body,
      buttons: [
        Dialog.cancelButton({ label: this._trans.__('Cancel') }),
        Dialog.warnButton({ label })
      ],
      defaultButton: 0
    });
    return result.button.accept;
  }
}

function quoted(task: ITask): string {
  return `“${task.name}”`;
}
