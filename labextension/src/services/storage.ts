/** How much room the output of all tasks takes: asked for only while somebody looks, and not often. */

import { Signal, type ISignal } from '@lumino/signaling';

import type { IStorage } from './types';
import type { ITaskModel } from '../tokens';

/** Milliseconds between two looks; and until the server has taken note of tasks that have come or gone. */
const AGAIN = 60_000;
const SETTLE = 1_000;

/** `dispose` it. */
export class StorageWatch {
  constructor(private readonly _model: Pick<ITaskModel, 'api' | 'changed' | 'error' | 'tasks'>) {
    _model.changed.connect(this._onModel, this);
  }

  /** The room that is taken, in bytes; null where the server does not tell. */
  get value(): IStorage | null {
    return this._value;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether anything is asked at all. */
  set isActive(value: boolean) {
    if (value !== this._isActive) {
      this._isActive = value;
      this._schedule(0);
    }
  }

  dispose(): void {
    this.isActive = false;
    this._model.changed.disconnect(this._onModel, this);
    Signal.clearData(this);
  }

  /** Deleting is what one does for want of room. */
  private _onModel(): void {
    const { length } = this._model.tasks;
    if (length !== this._count) {
      this._count = length;
      this._schedule(SETTLE);
    }
  }

  private _schedule(delay: number): void {
    clearTimeout(this._timer);
    if (this._isActive) {
      this._timer = setTimeout(() => void this._ask(), delay);
    }
  }

  private async _ask(): Promise<void> {
    // Where there are no tasks to be had, there is nothing to ask either: the next list brings us here again.
    if (!this._model.error) {
      try {
        this._take((await this._model.api.status({ quiet: true })).storage);
      } catch {
        // What is known stays; the panel tells of a server that is away.
      }
    }
    this._schedule(AGAIN);
  }

  private _take(value: IStorage | null): void {
    if (value?.used !== this._value?.used || value?.limit !== this._value?.limit) {
      this._value = value;
      this._changed.emit();
    }
  }

  private _isActive = false;
  private _count = 0;
  private _value: IStorage | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _changed = new Signal<this, void>(this);
}
