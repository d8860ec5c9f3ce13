/** The disk space of all output. Requested rarely, and only while it is visible. */

import { Signal, type ISignal } from '@lumino/signaling';

import type { IStorage } from './types/service';
import type { ITaskModel } from '../tokens';

/** Milliseconds between requests, and after the number of tasks has changed. */
const AGAIN = 60_000;
const SETTLE = 1_000;

export class StorageWatch {
  constructor(private readonly _model: Pick<ITaskModel, 'api' | 'changed' | 'error' | 'tasks'>) {
    _model.changed.connect(this._onModel, this);
  }

  /** The used space and the limit in bytes; null if the server does not report it. */
  get value(): IStorage | null {
    return this._value;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether to make requests at all. */
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

  /** Update soon after tasks were created or deleted. */
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
    // Without a working server there is nothing to request; try again later.
    if (!this._model.error) {
      try {
        this._take((await this._model.api.status({ quiet: true })).storage);
      } catch {
        // Keep the last value; the panel reports an unreachable server.
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
