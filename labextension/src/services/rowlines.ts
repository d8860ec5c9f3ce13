/** The last line of output of each task in view. Requested only while the panel is visible. */

import { Signal, type ISignal } from '@lumino/signaling';

import { isActive, isPending } from './types/states';
import type { ITask } from './types/tasks';
import type { ITaskModel } from '../tokens';

/** Milliseconds between requests for an active task, and before the first one while the user scrolls. */
const AGAIN = 3000;
const SETTLE = 150;

/** The most concurrent requests, to keep the server responsive. */
const AT_ONCE = 4;

/** The most characters of a line: a row shows fewer. */
const WIDTH = 400;

export class RowLines {
  constructor(private readonly _model: Pick<ITaskModel, 'api' | 'current' | 'error' | 'get'>) {}

  /** Emitted when a line has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Return the last known line of a task. */
  get(id: string): string {
    return this._lines.get(id)?.text ?? '';
  }

  /** Set the tasks in view. Changes of their progress do not affect when the next request is made. */
  show(tasks: readonly ITask[]): void {
    const before = this._visible;
    this._visible = tasks;
    const isSame =
      tasks.length === before.length &&
      tasks.every((task, at) => task.id === before[at].id && moment(task) === moment(before[at]));
    if (!isSame) {
      this._schedule(SETTLE);
    }
  }

  /** Whether to make requests at all. */
  set isActive(value: boolean) {
    if (value === this._isActive) {
      return;
    }
    this._isActive = value;
    clearTimeout(this._timer);
    if (value) {
      void this._begin();
    } else {
      this._isCurrent = false;
    }
  }

  dispose(): void {
    this.isActive = false;
    Signal.clearData(this);
  }

  /** Start after the list is current, so that no deleted task is requested. */
  private async _begin(): Promise<void> {
    await this._model.current();
    this._isCurrent = this._isActive;
    this._schedule(0);
  }

  private _schedule(delay: number): void {
    clearTimeout(this._timer);
    if (this._isCurrent && this._visible.length > 0) {
      this._timer = setTimeout(() => this._look(), delay);
    }
  }

  private _look(): void {
    const now = Date.now();
    for (const task of this._visible) {
      if (this._asking.size >= AT_ONCE) {
        // The next response continues here.
        return;
      }
      const isKnown = !this._model.error && this._model.get(task.id) !== undefined;
      if (isKnown && !this._asking.has(task.id) && this._isDue(task, now)) {
        void this._ask(task);
      }
    }
    if (this._visible.some(task => isActive(task) || this._hasFailed(task))) {
      this._schedule(AGAIN / 3);
    }
  }

  /** Return whether to request a line: every few seconds for active tasks and after failures, else once per attempt. */
  private _isDue(task: ITask, now: number): boolean {
    const known = this._lines.get(task.id);
    if (!known) {
      return true;
    }
    if (isActive(task) || known.moment === null) {
      return now - known.asked >= AGAIN;
    }
    return known.moment !== moment(task);
  }

  private _hasFailed(task: ITask): boolean {
    return this._lines.get(task.id)?.moment === null;
  }

  private async _ask(task: ITask): Promise<void> {
    const { id } = task;
    const before = this.get(id);
    this._asking.add(id);
    const known: IKnown = { text: before, asked: Date.now(), moment: null };
    try {
      known.text = (await this._model.api.tail(id, 1, { quiet: true })).output
        .trim()
        .slice(0, WIDTH);
      known.moment = moment(task);
    } catch {
      // The task or the server is gone, and the model will report which. Until then keep the known line.
    }
    this._asking.delete(id);
    this._lines.set(id, known);
    if (known.text !== before) {
      this._changed.emit();
    }
    if (this._isCurrent) {
      this._look();
    }
  }

  private _isActive = false;
  /** Whether it is active and the list is current. */
  private _isCurrent = false;
  private _visible: readonly ITask[] = [];
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _asking = new Set<string>();
  private readonly _lines = new Map<string, IKnown>();
  private readonly _changed = new Signal<this, void>(this);
}

interface IKnown {
  text: string;
  asked: number;
  /** See `moment`; null if the request failed. */
  moment: string | null;
}

/** Return a key that changes when the task starts and when it ends, and stays the same in between. */
function moment(task: ITask): string {
  return `${task.attempt} ${isPending(task)} ${task.ended ?? ''}`;
}
