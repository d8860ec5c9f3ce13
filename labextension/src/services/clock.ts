/** The server's time, and a clock that ticks once a second while the panel is visible. */

import { Signal, type ISignal } from '@lumino/signaling';

const SECOND = 1000;

/** Milliseconds by which the server's clock is ahead of the browser's; 0 if no difference is measurable. */
let ahead = 0;

/** Return the time of the server's clock, which the times of tasks refer to, in milliseconds since the Unix epoch. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/**
 * Estimate the server's clock from a response. Only a difference that the round trip does not explain counts.
 *
 * @param date The `Date` header of the response, in whole seconds.
 * @param sent When the request was sent, by the browser's clock.
 * @param answered When the response was received, by the browser's clock.
 */
export function noteServerTime(date: string | null, sent: number, answered: number): void {
  const time = Date.parse(date ?? '');
  if (Number.isNaN(time)) {
    return;
  }
  if (time > answered) {
    ahead = time - answered;
  } else {
    ahead = Math.min(0, time + SECOND - sent);
  }
}

export class Clock {
  /** The time of the last tick. */
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
    this._now = serverNow();
    this._ticked.emit();
  }

  private _now = serverNow();
  private _timer: ReturnType<typeof setInterval> | undefined;
  private readonly _ticked = new Signal<this, void>(this);
}
