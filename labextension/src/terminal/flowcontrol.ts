/** Output on its way through the terminal: acknowledgments, and replays whose queries must not be answered. */

/** Call back when the terminal has rendered everything written so far. */
export type WhenDrawn = (done: () => void) => void;

/** Milliseconds of rendering after which the page gets a pause, and the longest pause. */
const TURN = 16;
const TURN_MAX = 200;

/**
 * Acknowledge rendered output, once per window instead of once per message. Then pause for as long as the rendering took:
 * during a flood of output the page must still respond to input.
 */
export class Acknowledger {
  constructor(
    private readonly _whenDrawn: WhenDrawn,
    private readonly _acknowledge: (offset: number) => void
  ) {}

  /** Note that everything up to `offset` was written to the terminal. */
  push(offset: number): void {
    this._given = offset;
    if (!this._isBusy) {
      this._isBusy = true;
      this._began = performance.now();
      this._wait();
    }
  }

  private _wait(): void {
    const offset = this._given;
    this._whenDrawn(() => {
      if (this._given !== offset) {
        this._wait();
        return;
      }
      const took = performance.now() - this._began;
      if (took > TURN) {
        setTimeout(() => this._end(offset), Math.min(took, TURN_MAX));
      } else {
        this._end(offset);
      }
    });
  }

  private _end(offset: number): void {
    this._isBusy = false;
    this._acknowledge(offset);
    if (this._given !== offset) {
      this.push(this._given);
    }
  }

  private _given = 0;
  private _isBusy = false;
  private _began = 0;
}

/** Tracks whether a replay is being rendered: from its first byte until all of it is on the screen. */
export class Replays {
  constructor(
    private readonly _whenDrawn: WhenDrawn,
    private readonly _onDrawn: () => void
  ) {}

  get isDrawing(): boolean {
    return this._count > 0;
  }

  begin(): void {
    this.end();
    this._isComing = true;
    this._count += 1;
  }

  /** Note that all of it was received, or that the rest will not come. */
  end(): void {
    if (!this._isComing) {
      return;
    }
    this._isComing = false;
    this._whenDrawn(() => {
      this._count -= 1;
      if (this._count === 0) {
        this._onDrawn();
      }
    });
  }

  private _isComing = false;
  private _count = 0;
}
