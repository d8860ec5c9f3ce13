/** The time, once a second while somebody looks: whatever shows how long a task has run listens to the same clock. */

import { Signal, type ISignal } from '@lumino/signaling';

const SECOND = 1000;

export class Clock {
  /** The moment of the last tick; it stays the same until the next one. */
  get now(): number {
    return this._now;
  }

  get ticked(): ISignal<this, void> {
    return this._ticked;
  }

  get isRunning(): boolean {
    return this._timer !== undefined;
  }

  start(): void {
    if (!this.isRunning) {
      this._timer = setInterval(() => this._tick(), SECOND);
      this._tick();
    }
  }

  stop(): void {
    clearInterval(this._timer);
    this._timer = undefined;
  }

  private _tick(): void {
    this._now = Date.now();
    this._ticked.emit();
  }

  private _now = Date.now();
  private _timer: ReturnType<typeof setInterval> | undefined;
  private readonly _ticked = new Signal<this, void>(this);
}
