/**
 * The grid: the rows of a terminal's normal screen, its cursor, and the effect of each control function on them, as in xterm.js
 * (`InputHandler.ts` and `BufferLine.ts`). core/terminal/grid.py is its counterpart on the server.
 */

import { PLAIN } from './paint';
import { HALF, NULL, Row } from './row';
import { wcwidth } from './wcwidth';

const TAB = 8;

/** Rows from the top of the screen on, and the cursor at (`x`, `y`). Those scrolled out at the top are in `left`. */
export class Grid {
  constructor(
    readonly height: number,
    readonly cols: number
  ) {
    this.rows = this._blank();
    this.bottom = height - 1;
  }

  readonly left: Row[] = [];
  rows: Row[];
  x = 0;
  y = 0;
  pen = PLAIN;
  /** The width of the previous character, if nothing came in between. */
  join = 0;
  /** The margins: the first and the last row that are scrolled. */
  upper = 0;
  bottom: number;
  isInserting = false;
  isOrigin = false;
  isReverse = false;
  isWrapping = true;
  isNewline = false;

  /** RIS. */
  reset(): void {
    this.rows = this._blank();
    this.x = this.y = 0;
    this._stops = null;
    this.softReset();
  }

  /** DECSTR. */
  softReset(): void {
    this.upper = 0;
    this.bottom = this.height - 1;
    this.isInserting = this.isOrigin = this.isReverse = false;
    this.isWrapping = true;
    this.pen = PLAIN;
    this._saved = [0, this.left.length];
  }

  private _blank(): Row[] {
    return Array.from({ length: this.height }, () => new Row());
  }

  put(text: string): void {
    for (const char of text) {
      this._put(char);
    }
  }

  private _put(char: string): void {
    const width = wcwidth(char);
    if (width === 0 && this.join > 0) {
      this.rows[this.y].join(this.x, char);
      return;
    }
    this.join = width;
    if (this.x + width > this.cols) {
      if (this.isWrapping) {
        this._wrap();
      } else {
        this.x = this.cols - 1;
        if (width === 2) {
          return;
        }
      }
    }
    if (this.x >= this.cols) {
      return;
    }
    if (this.isInserting) {
      this.insertCells(width);
    }
    const cells = width === 2 ? [char, HALF] : [char];
    this.rows[this.y].write(this.x, cells, this.pen);
    this.x += cells.length;
  }

  private _wrap(): void {
    if (this.x < this.cols) {
      // A wide character did not fit.
      this.rows[this.y].cut(this.x);
    }
    this.x = 0;
    if (this.y === this.bottom) {
      this.scroll(true);
    } else {
      this.y = Math.min(this.y + 1, this.height - 1);
      this.rows[this.y].wraps = true;
    }
  }

  /** REP. */
  repeat(count: number): void {
    const cell = this.join > 0 ? this.rows[this.y].chars[this.x - this.join] : NULL;
    if (cell) {
      // More would only scroll.
      this.put(cell.repeat(Math.min(count, this.cols * this.height * 2)));
    }
  }

  /** EL. */
  eraseLine(what: number): void {
    this._restrict(this.cols);
    const row = this.rows[this.y];
    if (what === 0) {
      row.cut(this.x);
      row.wraps &&= this.x > 0;
    } else if (what === 1) {
      row.blank(0, this.x + 1);
    } else if (what === 2) {
      row.clear();
    }
  }

  /** ED. */
  eraseDisplay(what: number): void {
    this._restrict(this.cols);
    if (what === 0) {
      this.eraseLine(0);
      this.rows.slice(this.y + 1).forEach(row => row.clear());
    } else if (what === 1) {
      const row = this.rows[this.y];
      row.blank(0, this.x + 1);
      row.wraps = false;
      if (this.x + 1 >= this.cols && this.left.length === 0 && this.y + 1 < this.height) {
        // In xterm.js only where nothing was scrolled.
        this.rows[this.y + 1].wraps = false;
      }
      this.rows.slice(0, this.y).forEach(each => each.clear());
    } else if (what === 2) {
      this.rows.forEach(row => row.clear());
    }
  }

  /** ECH. */
  eraseCells(count: number): void {
    this._restrict();
    this.rows[this.y].blank(this.x, this.x + count);
  }

  /** ICH. */
  insertCells(count: number): void {
    this._restrict();
    this.rows[this.y].insert(this.x, count, this.cols);
  }

  /** DCH. */
  deleteCells(count: number): void {
    this._restrict();
    this.rows[this.y].delete(this.x, count);
  }

  /** SL, SR, DECIC and DECDC: inserts (or, where `count` is negative, deletes) cells in all rows between the margins. */
  editColumns(at: number, count: number): void {
    if (this.upper <= this.y && this.y <= this.bottom) {
      for (const row of this.rows.slice(this.upper, this.bottom + 1)) {
        // Like xterm.js after the last column.
        const column = at % this.cols;
        if (count > 0) {
          row.insert(column, count, this.cols);
        } else {
          row.delete(column, -count);
        }
        row.wraps = false;
      }
    }
  }

  /** DECALN. */
  fill(): void {
    this.goTo(0, 0);
    for (const row of this.rows.slice(this.y)) {
      row.clear();
      row.write(0, Array<string>(this.cols).fill('E'), this.pen);
    }
    this.goTo(0, 0);
  }

  /** Moves the rows between the margins up by one; the cursor stays. */
  scroll(wraps = false): void {
    const [row] = this.rows.splice(this.upper, 1);
    if (this.upper === 0) {
      this.left.push(row);
    }
    this.rows.splice(this.bottom, 0, new Row(wraps));
  }

  /** IL and, where `count` is negative, DL. */
  insertRows(count: number): void {
    this._restrict();
    if (this.upper <= this.y && this.y <= this.bottom) {
      this._shift(this.y, -count);
      this.x = 0;
    }
  }

  /** SU and, if `count` is negative, SD. In xterm.js, the rows that are scrolled out are lost. */
  scrollUp(count: number): void {
    this._shift(this.upper, count);
  }

  /** Moves the rows from `first` to the lower margin up (or down, if `by` is negative). */
  private _shift(first: number, by: number): void {
    const count = Math.min(Math.abs(by), this.bottom - first + 1);
    for (let each = 0; each < count; each++) {
      this.rows.splice(by > 0 ? first : this.bottom, 1);
      this.rows.splice(by > 0 ? this.bottom : first, 0, new Row());
    }
  }

  /** LF, VT, FF. */
  lineFeed(): void {
    if (this.isNewline) {
      this.x = 0;
    } else if (this.x >= this.cols) {
      this.x -= 1;
    }
    if (this.y === this.bottom) {
      this.scroll();
    } else if (this.y < this.height - 1) {
      this.y += 1;
      this.rows[this.y].wraps = false;
    }
  }

  /** IND. */
  index(): void {
    this._restrict();
    if (this.y === this.bottom) {
      this.scroll();
    } else if (this.y < this.height - 1) {
      this.y += 1;
    }
    this._restrict();
  }

  /** RI. */
  reverseIndex(): void {
    this._restrict();
    if (this.y === this.upper) {
      this._shift(this.upper, -1);
    } else {
      this.y = Math.max(this.y - 1, 0);
      this._restrict();
    }
  }

  private _restrict(last = this.cols - 1): void {
    this.x = Math.min(this.x, last);
    if (this.isOrigin) {
      this.y = Math.min(this.bottom, Math.max(this.upper, this.y));
    }
  }

  /** Goes to a position on the screen; in origin mode, rows are counted from the upper margin. */
  goTo(x: number, y: number): void {
    this.y = this.isOrigin
      ? Math.min(this.bottom, Math.max(this.upper, this.upper + y))
      : Math.min(this.height - 1, Math.max(0, y));
    this.x = Math.min(this.cols - 1, Math.max(0, x));
  }

  /** Moves relatively, like xterm.js, which in origin mode adds the margin a second time. */
  move(x: number, y: number): void {
    this._restrict();
    this.goTo(this.x + x, this.y + y);
  }

  /** CUU: not beyond the upper margin, unless it begins above. */
  up(count: number): void {
    const above = this.y - this.upper;
    this.move(0, -(above >= 0 ? Math.min(above, count) : count));
  }

  /** CUD. */
  down(count: number): void {
    const below = this.bottom - this.y;
    this.move(0, below >= 0 ? Math.min(below, count) : count);
  }

  /** BS; with reverse wrap-around also to the row above, where this one is its continuation. */
  back(): void {
    if (!this.isReverse) {
      this._restrict();
      this.x = Math.max(this.x - 1, 0);
      return;
    }
    this._restrict(this.cols);
    const row = this.rows[this.y];
    if (this.x > 0) {
      this.x -= 1;
    } else if (this.upper < this.y && this.y <= this.bottom && row.wraps) {
      row.wraps = false;
      this.y -= 1;
      this.x = this.cols - 1;
      if (!this.rows[this.y].chars[this.x]) {
        this.x -= 1;
      }
    }
    this._restrict();
  }

  /** HT, CHT: to the next stop, and never into the next row. */
  tab(count = 1): void {
    for (let each = Math.min(count, this.cols); each > 0 && this.x < this.cols; each--) {
      const next = this._stops
        ? Math.min(...[...this._stops].filter(stop => stop > this.x))
        : this.x - (this.x % TAB) + TAB;
      this.x = Math.min(next, this.cols - 1);
    }
  }

  /** CBT. */
  backTab(count: number): void {
    for (let each = Math.min(count, this.cols); each > 0 && this.x < this.cols; each--) {
      const last = this._stops
        ? Math.max(...[...this._stops].filter(stop => stop < this.x))
        : Math.floor((this.x - 1) / TAB) * TAB;
      this.x = Math.max(last, 0);
    }
  }

  /** HTS, TBC. */
  setStop(isSet: boolean): void {
    this._stops ??= new Set(
      Array.from({ length: Math.ceil(this.cols / TAB) }, (_, at) => at * TAB)
    );
    if (isSet) {
      this._stops.add(this.x);
    } else {
      this._stops.delete(this.x);
    }
  }

  /** TBC 3. */
  clearStops(): void {
    this._stops = new Set();
  }

  /** DECSTBM, counted from 1; 0 is the last row. */
  setMargins(upper: number, bottom: number): void {
    const last = bottom === 0 || bottom > this.height ? this.height : bottom;
    if (last > Math.max(upper, 1)) {
      this.upper = Math.max(upper, 1) - 1;
      this.bottom = last - 1;
      this.goTo(0, 0);
    }
  }

  /** DECSC, the position only. */
  save(): void {
    this._saved = [this.x, this.left.length + this.y];
  }

  /** DECRC. */
  restore(): void {
    [this.x, this.y] = this._saved;
    this.y = Math.min(Math.max(this.y - this.left.length, 0), this.height - 1);
    this._restrict();
  }

  private _stops: Set<number> | null = null;
  private _saved: [number, number] = [0, 0];
}
