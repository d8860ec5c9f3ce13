/** A row of a terminal: its cells and their pens, with writing, erasing, inserting and deleting. */

import { PLAIN, type Pen } from './paint';
import { wcwidth } from './wcwidth';

/** A cell that was never written or was erased, and the second half of a wide character. */
export const NULL = '';
export const HALF = '\x01';

export class Row {
  readonly chars: string[] = [];
  readonly pens: Pen[] = [];
  /** Whether text in it was overwritten or erased. */
  isOver = false;

  /** `wraps` says that it continues the row above. */
  constructor(public wraps = false) {}

  /** Puts cells from column `x` on. */
  write(x: number, cells: readonly string[], pen: Pen): void {
    const { chars, pens } = this;
    const end = x + cells.length;
    this.isOver ||= x < chars.length;
    if (chars[x] === HALF && x > 0) {
      chars[x - 1] = NULL;
    }
    while (chars.length < x) {
      chars.push(NULL);
      pens.push(PLAIN);
    }
    cells.forEach((cell, at) => {
      chars[x + at] = cell;
      pens[x + at] = pen;
    });
    if (chars[end] === HALF) {
      chars[end] = NULL;
    }
  }

  /** Adds a combining mark to the character before column `x`. */
  join(x: number, mark: string): void {
    const at = this.chars[x - 1] === HALF ? x - 2 : x - 1;
    if (at >= 0 && at < this.chars.length) {
      this.chars[at] += mark;
    }
  }

  clear(): void {
    this.chars.length = this.pens.length = 0;
    this.wraps = false;
    this.isOver = true;
  }

  /** Erases the cells from `start` on. */
  cut(start: number): void {
    const { chars, pens } = this;
    this.isOver = true;
    if (start < chars.length) {
      if (chars[start] === HALF && start > 0) {
        chars[start - 1] = NULL;
      }
      chars.length = pens.length = start;
    }
  }

  /** Erases the cells from `start` up to, not including, `end`. */
  blank(start: number, end: number): void {
    if (end >= this.chars.length) {
      this.cut(start);
    } else {
      this.write(start, Array<string>(end - start).fill(NULL), PLAIN);
      this.isOver = true;
    }
  }

  /** Inserts nulls at column `at`; cells that are pushed out of the row are lost. */
  insert(at: number, count: number, cols: number): void {
    const { chars, pens } = this;
    this.isOver = true;
    if (at >= chars.length) {
      return;
    }
    if (chars[at] === HALF && at > 0) {
      chars[at - 1] = chars[at] = NULL;
    }
    const room = Math.min(count, cols - at);
    chars.splice(at, 0, ...Array<string>(room).fill(NULL));
    pens.splice(at, 0, ...Array<Pen>(room).fill(PLAIN));
    chars.length = pens.length = Math.min(chars.length, cols);
    if (chars.length === cols && wcwidth(chars[cols - 1]) === 2) {
      chars[cols - 1] = NULL;
    }
  }

  /** Removes cells at column `at`; the following ones move left. */
  delete(at: number, count: number): void {
    const { chars, pens } = this;
    this.isOver = true;
    if (chars[at] === HALF && at > 0) {
      chars[at - 1] = NULL;
    }
    chars.splice(at, count);
    pens.splice(at, count);
    if (chars[at] === HALF) {
      chars[at] = NULL;
    }
  }
}
