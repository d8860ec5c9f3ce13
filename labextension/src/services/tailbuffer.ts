/** The end of a task's output, read on from where it was left: only what is new is asked for. */

import type { IPiece } from './api';
import { lastLines, type ISize } from '../format/ansilines';

/** Bytes that are looked at for the last lines: a bar that is drawn a thousand times is one long line. */
const WINDOW = 64 << 10;

export class Tail {
  constructor(private readonly _count: number) {}

  /** The last lines, with their colours; undefined before anything was read. */
  get lines(): string | undefined {
    return this._lines;
  }

  /** Where to read on; `end` is where the output ended as far as is known. */
  from(end: number): number {
    const first = Math.max(0, end - WINDOW);
    // Far behind, what lies between is of no interest.
    return this._next === null ? first : Math.max(this._next, first);
  }

  /** How much to read at once. */
  readonly limit = 4 * WINDOW;

  /** Takes what was read, of a terminal of this size. Gives whether there is more to be read already. */
  take({ data, offset, end }: IPiece, size?: ISize): boolean {
    if (offset !== this._next) {
      this._decoder = new TextDecoder();
      this._text = '';
      // It may begin in the middle of a line, or of a character.
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
    // Of a line that has no end, as of a bar that is drawn for hours, what was drawn last from its beginning on.
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
