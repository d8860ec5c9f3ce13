/** Decides which ended tasks are worth a notification, and what it says. All tasks that the user has not seen share one. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { elapsed, exitLabel, stateLabel } from '../format/times';
import { isExplained, reasonOf } from '../format/why';
import { wentWrong } from './types/states';
import type { ITask } from './types/tasks';
import type { ISettings } from './settings';
import type { IStateChange, ITaskModel } from '../tokens';

/** Milliseconds in which ended tasks are collected before the notification is shown or changed. */
const GATHER = 300;

/**
 * Milliseconds after the start of a task in which its terminal may be about to open. A notification is delayed until then, and
 * dropped if the terminal is visible.
 */
const OPENING = 2_000;

/** The number of last lines that are searched for a nonblank one. */
const LINES = 5;

/** The content of the notification. */
export interface INotice {
  kind: 'success' | 'error';
  message: string;
  /** The ids of the tasks, in the order in which they ended. */
  ids: readonly string[];
  /** Whether there may be a line of the output that says why the task has failed. */
  isExplained?: boolean;
}

/** The notification on the screen. There is at most one, which is updated when a task ends. */
export interface IToast {
  /** Whether it is shown and the user has not dismissed it. */
  readonly isOpen: boolean;
  show(notice: INotice): void;
  close(): void;
}

/** What the user wants to be notified of. */
export type IRules = Pick<ISettings, 'notify' | 'notifyMinimum' | 'quietGroups'>;

/** Return whether a change is worth a notification: a task has ended that is not a shell and was not stopped by the user. */
export function isWorthNotifying({ task }: IStateChange, rules: IRules): boolean {
  const { notify, notifyMinimum, quietGroups } = rules;
  if (task.kind === 'shell' || notify === 'none' || quietGroups.includes(task.group)) {
    return false;
  }
  const isWanted = wentWrong(task) || (notify === 'all' && task.state === 'succeeded');
  return isWanted && elapsed(task, Date.now()) >= notifyMinimum * 1000;
}

/** Return the notification for one task: with the reason of a failure, else `line`, its last line of output. */
function endOf(task: ITask, line: string, trans: TranslationBundle): INotice {
  if (task.state === 'succeeded') {
    return { kind: 'success', ids: [task.id], message: trans.__('“%1” succeeded', task.name) };
  }
  const how = task.state === 'failed' ? exitLabel(task, trans) : '';
  const state = stateLabel(task.state, trans).toLocaleLowerCase();
  const what = trans.__('“%1” %2', task.name, how ? `${state} (${how})` : state);
  const why = reasonOf(task) || line;
  const message = why ? `${what}: ${why}` : what;
  return { kind: 'error', ids: [task.id], message, isExplained: isExplained(task) };
}

/** Return the notification for several tasks: how many ended how, and which one failed last, with `line` as above. */
function endOfMany(tasks: readonly ITask[], line: string, trans: TranslationBundle): INotice {
  const ids = tasks.map(task => task.id);
  const failed = tasks.filter(wentWrong);
  const succeeded = tasks.length - failed.length;
  if (failed.length === 0) {
    return { kind: 'success', ids, message: trans.__('%1 tasks succeeded', tasks.length) };
  }
  const counts =
    succeeded > 0
      ? trans.__('%1 tasks ended: %2 succeeded, %3 failed', tasks.length, succeeded, failed.length)
      : trans.__('%1 tasks failed', tasks.length);
  const last = endOf(failed[failed.length - 1], line, trans).message;
  return { kind: 'error', ids, message: trans.__('%1. Latest: %2', counts, last) };
}

/** Notifies when tasks that are not visible end. */
export class CompletionNotifier {
  constructor(private readonly _options: CompletionNotifier.IOptions) {
    _options.model.stateChanged.connect(this._onStateChanged, this);
  }

  /** Remove tasks that the user has seen from the notification. */
  see(ids: readonly string[]): void {
    for (const id of ids) {
      this._fresh.delete(id);
      this._ended.delete(id);
    }
    const told = ids.filter(id => this._told.delete(id));
    if (told.length > 0 && this._options.toast.isOpen) {
      void this._show();
    }
  }

  private _onStateChanged(_: ITaskModel, change: IStateChange): void {
    const { task } = change;
    if (!isWorthNotifying(change, this._options.rules())) {
      return;
    }
    if (elapsed(task, Date.now()) < OPENING) {
      this._fresh.add(task.id);
      setTimeout(() => {
        if (this._fresh.delete(task.id)) {
          this._gather(task);
        }
      }, OPENING);
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
    const { isLookedAt, toast } = this._options;
    const looks = await Promise.all(ended.map(({ id }) => isLookedAt(id)));
    // Changes of one response come in the order of the list.
    const tasks = ended
      .filter((_, index) => !looks[index])
      .sort((one, other) => (one.ended ?? '').localeCompare(other.ended ?? ''));
    if (tasks.length === 0) {
      return;
    }
    if (!toast.isOpen) {
      this._told.clear();
    }
    for (const task of tasks) {
      // A task that ends again moves to the end.
      this._told.delete(task.id);
      this._told.set(task.id, task);
    }
    await this._show();
  }

  /** Show or update the notification, or close it if no tasks are left. */
  private async _show(): Promise<void> {
    const { toast, trans } = this._options;
    const turn = ++this._turn;
    const tasks = [...this._told.values()];
    const last = tasks.filter(wentWrong).pop();
    const line = last && reasonOf(last) === '' ? await this._lastLine(last.id) : '';
    if (turn !== this._turn) {
      return; // a later call shows it
    }
    if (tasks.length === 0) {
      toast.close();
    } else {
      toast.show(tasks.length === 1 ? endOf(tasks[0], line, trans) : endOfMany(tasks, line, trans));
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

  /** Tasks that ended right after their start: their terminals may just be opening. */
  private readonly _fresh = new Set<string>();
  /** Ended tasks that are not notified of yet, and those that the notification is about. */
  private readonly _ended = new Map<string, ITask>();
  private readonly _told = new Map<string, ITask>();
  private _turn = 0;
  private _gathering: ReturnType<typeof setTimeout> | undefined;
}

export namespace CompletionNotifier {
  export interface IOptions {
    model: ITaskModel;
    trans: TranslationBundle;
    rules: () => IRules;
    /** Return whether the task is visible, or is about to be. */
    isLookedAt: (id: string) => Promise<boolean>;
    toast: IToast;
  }
}
