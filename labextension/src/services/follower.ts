/** More of one task than the list tells: its last lines, how its usage went. Asked for only while somebody looks. */

import { Signal, type ISignal } from '@lumino/signaling';

import { TaskError } from './api';
import { Tail } from './tailbuffer';
import { isActive, isPending, type ISample, type ITask } from './types';
import type { ITaskModel } from '../tokens';

/** Milliseconds between two looks at a live task, and at how its usage went. */
const AGAIN = 2000;
const MEASURE = 4000;

/** Follows one task while `isActive`. `dispose` it. */
export class TaskFollower {
  constructor(private readonly _options: TaskFollower.IOptions) {
    this._tail = new Tail(_options.lines);
    _options.model.changed.connect(this._onModel, this);
  }

  /** The task as last heard; undefined while it is not known to the server, as far as we know. */
  get task(): ITask | undefined {
    return this._options.model.get(this._options.id);
  }

  /** Whether the server has said that there is no such task. */
  get isGone(): boolean {
    return this._isGone;
  }

  /** The last lines, with their colours; undefined before they were read. */
  get tail(): string | undefined {
    return this._tail.lines;
  }

  /** How its usage went lately, the oldest first. */
  get samples(): readonly ISample[] {
    return this._samples;
  }

  /** Emitted when any of the above but `task` has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether anything is asked at all. */
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

  /** What the model tells may be a beginning or an end: that is looked at at once, and nothing else is. */
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
      // The model tells when there is an answer to be had.
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
      // The task is gone, or the server: the model tells which, and what is known stays meanwhile.
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
   * The task, if the list has it: no other task is ever asked for. The list may not have heard of one that has just been
   * started, nor that one has been deleted which nobody has looked at for a while.
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
      // A task may write faster than we read: then some of it comes at the next look.
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
  /** Whether somebody has begun to look, and the list may be older than that. */
  private _isArriving = false;
  private _isLooking = false;
  private _isGone = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  /** What was last looked at, see `moment`; null where there was nothing to be seen. */
  private _seen: string | null = null;
  private _measured = -Infinity;
  private readonly _tail: Tail;
  private _samples: readonly ISample[] = [];
  private readonly _changed = new Signal<this, void>(this);
}

export namespace TaskFollower {
  export interface IOptions {
    /** The id of the task. */
    id: string;
    model: ITaskModel;
    /** How many of its last lines are read; 0 for none. */
    lines: number;
  }
}

/** Return a key that changes when the task starts and when it ends, and stays the same in between. */
function moment(task: ITask | undefined): string {
  return task ? `${task.attempt} ${isPending(task)} ${task.ended ?? ''}` : 'unknown';
}
