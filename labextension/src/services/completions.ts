/** Decides which ended tasks are worth a notification, and what it says. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { elapsed, exitLabel, stateLabel } from '../format/times';
import { isExplained, reasonOf } from '../format/why';
import { wentWrong, type ITask } from './types';
import type { ISettings } from './settings';
import type { IStateChange, ITaskModel } from '../tokens';

/** Milliseconds in which ended tasks are collected, and how many are reported one by one. */
const GATHER = 300;
const FEW = 3;

/**
 * Milliseconds after the start of a task in which its terminal may be about to open. A notification is delayed until then, and
 * dropped if the terminal is visible.
 */
const OPENING = 2_000;

/** The number of last lines that are searched for one that is not blank. */
const LINES = 5;

/** The content of a notification. Without an id it is about several tasks. */
export interface INotice {
  kind: 'success' | 'error';
  message: string;
  id?: string;
  /** Whether there may be a line of the output that says why the task has failed. */
  isExplained?: boolean;
}

/** Return whether a change is worth a notification: a task has ended that is not a shell and was not stopped by the user. */
export function isWorthNotifying(change: IStateChange, notify: ISettings['notify']): boolean {
  const { task } = change;
  if (task.kind === 'shell' || notify === 'none') {
    return false;
  }
  return wentWrong(task) || (notify === 'all' && task.state === 'succeeded');
}

/** Return the notification for one task: with the reason of a failure, else `line`, its last line of output. */
export function endOf(task: ITask, line: string, trans: TranslationBundle): INotice {
  if (task.state === 'succeeded') {
    return { kind: 'success', id: task.id, message: trans.__('“%1” succeeded', task.name) };
  }
  const how = task.state === 'failed' ? exitLabel(task, trans) : '';
  const state = stateLabel(task.state, trans).toLocaleLowerCase();
  const what = trans.__('“%1” %2', task.name, how ? `${state} (${how})` : state);
  const why = reasonOf(task) || line;
  const message = why ? `${what}: ${why}` : what;
  return { kind: 'error', id: task.id, message, isExplained: isExplained(task) };
}

/** Return the notification for many tasks. */
export function endOfMany(tasks: readonly ITask[], trans: TranslationBundle): INotice {
  const failed = tasks.filter(wentWrong).length;
  if (failed === 0) {
    return { kind: 'success', message: trans.__('%1 tasks succeeded', tasks.length) };
  }
  const message = trans.__('%1 tasks ended; %2 failed', tasks.length, failed);
  return { kind: 'error', message };
}

/** Notifies when tasks end that are not visible. */
export class CompletionNotifier {
  constructor(private readonly _options: CompletionNotifier.IOptions) {
    _options.model.stateChanged.connect(this._onStateChanged, this);
  }

  private _onStateChanged(_: ITaskModel, change: IStateChange): void {
    const { task } = change;
    if (!isWorthNotifying(change, this._options.notify())) {
      return;
    }
    if (elapsed(task, Date.now()) < OPENING) {
      setTimeout(() => this._gather(task), OPENING);
    } else {
      this._gather(task);
    }
  }

  private _gather(task: ITask): void {
    this._ended.set(task.id, task);
    this._gathering ??= setTimeout(() => {
      const tasks = [...this._ended.values()];
      this._ended.clear();
      this._gathering = undefined;
      void this._notify(tasks);
    }, GATHER);
  }

  private async _notify(ended: readonly ITask[]): Promise<void> {
    const { isLookedAt, show, trans } = this._options;
    const looks = await Promise.all(ended.map(({ id }) => isLookedAt(id)));
    const tasks = ended.filter((_, index) => !looks[index]);
    if (tasks.length > FEW) {
      show(endOfMany(tasks, trans));
      return;
    }
    for (const task of tasks) {
      const isSaid = task.state === 'succeeded' || reasonOf(task) !== '';
      show(endOf(task, isSaid ? '' : await this._lastLine(task.id), trans));
    }
  }

  private async _lastLine(id: string): Promise<string> {
    const { model } = this._options;
    if (!model.get(id)) {
      return '';
    }
    try {
      const { output } = await model.api.tail(id, LINES, { quiet: true });
      return output.trimEnd().split('\n').pop()?.trim() ?? '';
    } catch {
      // A failure is worth a notification even if the output is not available.
      return '';
    }
  }

  private readonly _ended = new Map<string, ITask>();
  private _gathering: ReturnType<typeof setTimeout> | undefined;
}

export namespace CompletionNotifier {
  export interface IOptions {
    model: ITaskModel;
    trans: TranslationBundle;
    /** Return the user's choice of notifications. */
    notify: () => ISettings['notify'];
    /** Return whether the task is visible, or is about to be. */
    isLookedAt: (id: string) => Promise<boolean>;
    show: (notice: INotice) => void;
  }
}
