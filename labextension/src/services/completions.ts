/** Which ends of tasks are worth a notice, and what it says. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { elapsed, exitLabel, stateLabel } from '../format/times';
import { wentWrong, type ITask } from './types';
import type { ISettings } from './settings';
import type { IStateChange, ITaskModel } from '../tokens';

/** Milliseconds in which ends are gathered, and how many of them are told one by one. */
const GATHER = 300;
const FEW = 3;

/**
 * Milliseconds from the start of a task in which its terminal may be about to open: whoever started it is told of its end no
 * earlier, and not at all if the terminal shows it by then.
 */
const OPENING = 2_000;

/** How many of the last lines are looked through for one with something in it. */
const LINES = 5;

/** What is to be shown. Without an id it is about several tasks. */
export interface INotice {
  kind: 'success' | 'error';
  message: string;
  id?: string;
}

/** Whether a change is an end that somebody may be waiting for: not of a shell, nor one that the user wanted. */
export function isWorthTelling(change: IStateChange, notify: ISettings['notify']): boolean {
  const { task } = change;
  if (task.kind === 'shell' || notify === 'none') {
    return false;
  }
  return wentWrong(task) || (notify === 'all' && task.state === 'succeeded');
}

/** What is said of the end of one task; `line` is the last of its output. */
export function endOf(task: ITask, line: string, trans: TranslationBundle): INotice {
  if (task.state === 'succeeded') {
    return { kind: 'success', id: task.id, message: trans.__('“%1” succeeded', task.name) };
  }
  const how = task.state === 'failed' ? exitLabel(task, trans) : '';
  const state = stateLabel(task.state, trans).toLocaleLowerCase();
  const what = trans.__('“%1” %2', task.name, how ? `${state} (${how})` : state);
  return { kind: 'error', id: task.id, message: line ? `${what}: ${line}` : what };
}

/** What is said of the ends of many tasks. */
export function endOfMany(tasks: readonly ITask[], trans: TranslationBundle): INotice {
  const failed = tasks.filter(wentWrong).length;
  if (failed === 0) {
    return { kind: 'success', message: trans.__('%1 tasks succeeded', tasks.length) };
  }
  const message = trans.__('%1 tasks ended; %2 failed', tasks.length, failed);
  return { kind: 'error', message };
}

/** Tells of the ends of tasks that nobody looks at. */
export class CompletionNotifier {
  constructor(private readonly _options: CompletionNotifier.IOptions) {
    _options.model.stateChanged.connect(this._onStateChanged, this);
  }

  private _onStateChanged(_: ITaskModel, change: IStateChange): void {
    const { task } = change;
    if (!isWorthTelling(change, this._options.notify())) {
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
      void this._tell(tasks);
    }, GATHER);
  }

  private async _tell(ended: readonly ITask[]): Promise<void> {
    const { isLookedAt, show, trans } = this._options;
    const looks = await Promise.all(ended.map(({ id }) => isLookedAt(id)));
    const tasks = ended.filter((_, index) => !looks[index]);
    if (tasks.length > FEW) {
      show(endOfMany(tasks, trans));
      return;
    }
    for (const task of tasks) {
      show(endOf(task, task.state === 'succeeded' ? '' : await this._lastLine(task.id), trans));
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
      // That it has failed is worth telling, also where its output cannot be had.
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
    /** What the user wants to hear of. */
    notify: () => ISettings['notify'];
    /** Whether the user sees that task just now, or is about to. */
    isLookedAt: (id: string) => Promise<boolean>;
    show: (notice: INotice) => void;
  }
}
