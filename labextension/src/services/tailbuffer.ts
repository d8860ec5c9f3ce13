/** The last lines of a task's output, updated with new output only. */

import type { IPiece } from './api';
import { lastLines } from '../format/ansilines';
import type { ISize } from '../format/screen';

/** Bytes that are searched for the last lines. A progress bar that is redrawn a thousand times is one line. */
const WINDOW = 64 << 10;

export class TailBuffer {
  constructor(private readonly _count: number) {}

  /** The last lines with SGR colors; undefined before the first read. */
  get lines(): string | undefined {
    return this._lines;
  }

  /** Return the offset to read from; `end` is the last known end of the output. */
  from(end: number): number {
    const first = Math.max(0, end - WINDOW);
    // If far behind, skip what lies between.
    return this._next === null ? first : Math.max(this._next, first);
  }

  /** The most bytes to read at once. */
  readonly limit = 4 * WINDOW;

  /** Add a piece of the output of a terminal of this size. Return whether there is more to read. */
  take({ data, offset, end }: IPiece, size?: ISize): boolean {
    if (offset !== this._next) {
      this._decoder = new TextDecoder();
      this._text = '';
      // The piece may begin in the middle of a line or of a character.
      this._isCut = offset > 0;
    }
    this._next = offset + data.length;
    this._text += this._decoder.decode(data, { stream: true });
    if (this._text.length > WINDOW) {
      this._text = this._text.slice(-WINDOW);
      this._isCut = true;
    }
    if (this._isCut) {
      const feed = this._text.indexOf('\n');
      if (feed >= 0) {
        this._text = this._text.slice(feed + 1);
        this._isCut = false;
      }
    }
    // A line without an end, such as a progress bar that runs for hours: keep what follows a carriage return.
    const text = this._isCut ? this._text.slice(this._text.indexOf('\r') + 1) : this._text;
    this._lines = lastLines(text, this._count, size);
    return this._next < end;
  }

  private _decoder = new TextDecoder();
  private _next: number | null = null;
  private _text = '';
  private _isCut = false;
  private _lines: string | undefined;
}
