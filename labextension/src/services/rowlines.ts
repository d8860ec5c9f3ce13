/** The last line of output of the tasks that can be seen: asked for only while somebody looks. */

import { Signal, type ISignal } from '@lumino/signaling';

import { isActive, isPending, type ITask } from './types';
import type { ITaskModel } from '../tokens';

/** Milliseconds between two looks at a live task; and to wait, for whoever scrolls by is not interested. */
const AGAIN = 3000;
const SETTLE = 150;

/** Requests at a time: the others have to wait, lest the server's own work does. */
const AT_ONCE = 4;

/** Characters that are kept: nobody sees more of a line in a list. */
const WIDTH = 400;

export class LastLines {
  constructor(private readonly _model: Pick<ITaskModel, 'api' | 'current' | 'error' | 'get'>) {}

  /** Emitted when some line has become another one. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The last line that is known of a task. */
  get(id: string): string {
    return this._lines.get(id)?.text ?? '';
  }

  /** These tasks can be seen from now on, and no others. Tasks that only make progress bring no look forward nor put it off. */
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

  /** Whether anything is asked at all. */
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

  /** What has been deleted while nobody looked is not asked for. */
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
        // The next answer brings us here again.
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

  /** Live tasks are due every few seconds, as is what could not be had; the others once for each of their ends. */
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
      // The task is gone, or the server: the model will tell which, and the line that is known stays meanwhile.
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
  /** Whether it is active, and the list is as new as can be. */
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
  /** See `moment`; null where the line could not be had. */
  moment: string | null;
}

/** Return a key that changes when the task starts and when it ends, and stays the same in between. */
function moment(task: ITask): string {
  return `${task.attempt} ${isPending(task)} ${task.ended ?? ''}`;
}
