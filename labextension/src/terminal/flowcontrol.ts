/** What is on its way through the terminal: output to acknowledge, and history whose queries nobody is to answer. */

/** Calls back when the terminal has drawn all that it was given so far. */
export type WhenDrawn = (done: () => void) => void;

/** Milliseconds of drawing after which the rest of the page gets its turn; and at most so many. */
const TURN = 16;
const TURN_MAX = 200;

/**
 * Acknowledges what is drawn: of a flood not each message, but all that may be under way at once. After that the page
 * gets as much time for everything else as the terminal has taken: nobody reads a flood, but somebody may be typing.
 */
export class Acknowledger {
  constructor(
    private readonly _whenDrawn: WhenDrawn,
    private readonly _acknowledge: (offset: number) => void
  ) {}

  /** The terminal was given everything up to `offset`. */
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

/** Knows whether history is being drawn: from when it begins to come until the last of it is on the screen. */
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

  /** All of it has come, or no more will. */
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
