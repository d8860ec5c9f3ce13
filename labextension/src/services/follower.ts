/** Details of one task that the list lacks: its last lines and usage history. Requested only while they are visible. */

import { Signal, type ISignal } from '@lumino/signaling';

import { TaskError } from './api';
import { TailBuffer } from './tailbuffer';
import type { ISample } from './types/measured';
import { isActive, isPending } from './types/states';
import type { ITask } from './types/tasks';
import type { ITaskModel } from '../tokens';

/** Milliseconds between requests for the last lines of an active task, and for its usage. */
const AGAIN = 2000;
const MEASURE = 4000;

/** Follows one task while `isActive`. */
export class TaskFollower {
  constructor(private readonly _options: TaskFollower.IOptions) {
    this._tail = new TailBuffer(_options.lines);
    _options.model.changed.connect(this._onModel, this);
  }

  /** The task in the list; undefined if the list does not have it. */
  get task(): ITask | undefined {
    return this._options.model.get(this._options.id);
  }

  /** Whether the server has reported that the task does not exist. */
  get isGone(): boolean {
    return this._isGone;
  }

  /** The last lines with SGR colors; undefined before the first response. */
  get tail(): string | undefined {
    return this._tail.lines;
  }

  /** The recent usage samples, oldest first. */
  get samples(): readonly ISample[] {
    return this._samples;
  }

  /** Emitted when any of the above except `task` has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether to make requests at all. */
  set isActive(value: boolean) {
    if (value !== this._isActive) {
      this._isActive = value;
      clearTimeout(this._timer);
      if (value) {
        this._isArriving = true;
        void this._look();
      }
    }
  }

  dispose(): void {
    this.isActive = false;
    this._options.model.changed.disconnect(this._onModel, this);
    Signal.clearData(this);
  }

  /** Update at once if the task has started or ended; ignore other changes of the model. */
  private _onModel(): void {
    const { task } = this;
    if (task && this._isGone) {
      this._isGone = false;
      this._changed.emit();
    }
    if (this._isActive && !this._isLooking && moment(task) !== this._seen) {
      clearTimeout(this._timer);
      void this._look();
    }
  }

  private async _look(): Promise<void> {
    const { model } = this._options;
    if (this._isLooking || !model.isReady || model.error) {
      // The model emits `changed` when requests make sense again.
      this._seen = null;
      return;
    }
    this._isLooking = true;
    const task = await this._find();
    try {
      if (task) {
        await this._read(task);
      }
      this._seen = model.error ? null : moment(task);
    } catch (error) {
      // The task or the server is gone, and the model will report which. Until then keep what is known.
      this._seen = error instanceof TaskError && error.status !== 0 ? moment(task) : null;
    } finally {
      this._isLooking = false;
    }
    if (!this._isActive || model.error) {
      return;
    }
    if (moment(this.task) !== moment(task)) {
      void this._look();
    } else if (task && isActive(task)) {
      this._timer = setTimeout(() => void this._look(), AGAIN);
    }
  }

  /**
   * Return the task if the list has it: other tasks are never requested. The list may lag behind: a task that was just
   * started can be missing, and a deleted one can still be there.
   */
  private async _find(): Promise<ITask | undefined> {
    const { id, model } = this._options;
    const isArriving = this._isArriving;
    this._isArriving = false;
    if (this.task) {
      await (isArriving ? model.current() : undefined);
    } else if (!this._isGone) {
      await model.refresh();
    }
    if (model.error) {
      return undefined;
    }
    if (!this.task && !this._isGone && !model.unreadable.some(one => one.id === id)) {
      this._isGone = true;
      this._changed.emit();
    }
    return this.task;
  }

  private async _read(task: ITask): Promise<void> {
    const { lines } = this._options;
    if (lines > 0 && (isActive(task) || this._seen !== moment(task))) {
      await this._readTail(task);
    }
    if (isActive(task) && Date.now() - this._measured >= MEASURE) {
      this._measured = Date.now();
      await this._readSamples(task.id);
    }
  }

  private async _readTail({ id, output, rows, cols }: ITask): Promise<void> {
    const { api } = this._options.model;
    const before = this._tail.lines;
    let { end } = output;
    for (let isMore = true; isMore;) {
      const piece = await api.raw(id, this._tail.from(end), this._tail.limit, { quiet: true });
      ({ end } = piece);
      // If the task writes faster than we read, the rest is read next time.
      isMore = this._tail.take(piece, { rows, cols }) && piece.data.length === this._tail.limit;
    }
    if (this._tail.lines !== before) {
      this._changed.emit();
    }
  }

  private async _readSamples(id: string): Promise<void> {
    const { samples } = await this._options.model.api.stats(id, { quiet: true });
    this._samples = samples;
    this._changed.emit();
  }

  private _isActive = false;
  /** Whether it was just activated, so that the list may be older. */
  private _isArriving = false;
  private _isLooking = false;
  private _isGone = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  /** The `moment` of the last update; null if it failed. */
  private _seen: string | null = null;
  private _measured = -Infinity;
  private readonly _tail: TailBuffer;
  private _samples: readonly ISample[] = [];
  private readonly _changed = new Signal<this, void>(this);
}

export namespace TaskFollower {
  export interface IOptions {
    /** The id of the task. */
    id: string;
    model: ITaskModel;
    /** The number of last lines to read; 0 for none. */
    lines: number;
  }
}

/** Return a key that changes when the task starts and when it ends, and stays the same in between. */
function moment(task: ITask | undefined): string {
  return task ? `${task.attempt} ${isPending(task)} ${task.ended ?? ''}` : 'unknown';
}
