/** The server's time, and once a second while somebody looks: whatever shows how long a task has run hears the same clock. */

import { Signal, type ISignal } from '@lumino/signaling';

const SECOND = 1000;

/** Milliseconds by which the server's clock is ahead of the browser's; 0 where they agree as far as can be told. */
let ahead = 0;

/** Now, by the server's clock: that is what a task's times are by. In milliseconds since the epoch of Unix. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/**
 * Takes note of the server's clock: `date` is the `Date` of an answer, in whole seconds, to a request that was sent and answered
 * at these times of ours. Only a difference that the time under way does not explain counts.
 */
export function noteServerTime(date: string | null, sent: number, answered: number): void {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told)) {
    return;
  }
  if (told > answered) {
    ahead = told - answered;
  } else {
    ahead = Math.min(0, told + SECOND - sent);
  }
}

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
    this._now = serverNow();
    this._ticked.emit();
  }

  private _now = serverNow();
  private _timer: ReturnType<typeof setInterval> | undefined;
  private readonly _ticked = new Signal<this, void>(this);
}
