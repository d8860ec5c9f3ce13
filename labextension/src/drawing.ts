/** What is on its way through the terminal: output to acknowledge, and history whose queries nobody is to answer. */

/** Calls back when the terminal has drawn all that it was given so far. */
export type WhenDrawn = (done: () => void) => void;

/** Acknowledges what is drawn: not each message of a flood, but as far as the terminal has come. */
export class Acknowledger {
  constructor(
    private readonly _whenDrawn: WhenDrawn,
    private readonly _acknowledge: (offset: number) => void
  ) {}

  /** The terminal was given everything up to `offset`. */
  push(offset: number): void {
    this._given = offset;
    if (!this._isWaiting) {
      this._wait();
    }
  }

  private _wait(): void {
    const offset = this._given;
    this._isWaiting = true;
    this._whenDrawn(() => {
      this._isWaiting = false;
      this._acknowledge(offset);
      if (this._given !== offset) {
        this._wait();
      }
    });
  }

  private _given = 0;
  private _isWaiting = false;
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
