/**
 * What a terminal shows, as lines of text with colors: of what was overwritten, erased, or drawn by a full-screen
 * program nothing is left. Held to what xterm.js shows by tests/contract/lines.json, as core/lines.py is. Pure.
 */

import { Grid } from './grid';
import { PLAIN, color, showsBlanks, write, type Pen } from './paint';
import { HALF, NULL, type Row } from './row';

/** Of a terminal. */
export interface ISize {
  rows: number;
  cols: number;
}

const SIZE: ISize = { rows: 24, cols: 80 };

const CONTROL = '[\\x00-\\x17\\x19\\x1c-\\x1f\\x7f]';
const HEADER = '[\\x00-\\x17\\x19\\x1c-\\x3f\\x7f]*';
const ABORTED = '[\\x18\\x1a]|[^\\x00-\\x7f]|(?=\\x1b)|$';
const END = '(?:\\x1b\\\\|[\\x18\\x1a]|(?=\\x1b[^\\\\])|\\x1b?$)';
/** Text, or one token of what is none, in the grammar of xterm.js: complete, or cut off by the end. As core/vt.py. */
const TOKEN = new RegExp(
  [
    '[^\\x00-\\x1f\\x7f]+',
    '\\x1b\\[([<-?]?)([0-9;:]*)([ -/]*)([@-~])',
    `\\x1b${CONTROL}*(?:${[
      `\\[${HEADER}(?:[@-~]|${ABORTED})`,
      `\\][^\\x07\\x18\\x1a\\x1b]*(?:\\x07|${END})`,
      `P${HEADER}(?:[@-~][^\\x18\\x1a\\x1b]*${END}|\\x1b\\\\|${ABORTED})`,
      `[X^_][\\x00-\\x17\\x19\\x1c-\\x7f]*(?:${END}|[^\\x00-\\x7f])`,
      `[ -/][\\x00-\\x17\\x19\\x1c-/\\x7f]*(?:[0-~]|${ABORTED})`,
      '[0-OQ-WYZ\\\\`-~]',
      ABORTED
    ].join('|')})`,
    '[\\x00-\\x1a\\x1c-\\x1f\\x7f]'
  ].join('|'),
  'gu'
);
/** C1 controls as the sequences that they are short for; those that xterm.js does not know just end what was begun. */
const C1 = /[\x80-\x9f]/g;
const KNOWN_C1 = '\x84\x85\x88\x90\x98\x9b\x9c\x9d\x9e\x9f';
const INSIDE = /[\x00-\x17\x19\x1c-\x1f]/g;
const IGNORED = /[\x00-\x17\x19\x1c-\x1f\x7f]/g;
const WELL_FORMED = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])$/;
const CSI = /^\x1b\[([<-?]?)([0-9;:]*)([ -/]*)([@-~])$/;
const STRING = /^\x1b[\x00-\x17\x19\x1c-\x1f\x7f]*([\]PX^_])/;

const GRAPHICS = '◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·';
const CHARSETS = '0AB4C5RQKYE6ZH7=';
const LEVELS: Record<string, number> = { '(': 0, ')': 1, '*': 2, '+': 3, '-': 1, '.': 2 };
const SHIFTS: Record<string, number> = {
  '\x0f': 0,
  '\x0e': 1,
  n: 2,
  o: 3,
  '|': 3,
  '}': 2,
  '~': 1
};

/** The last `count` lines of the output that have something in them or between them, joined by line feeds. */
export function lastLines(output: string, count: number, size: ISize = SIZE): string {
  const lines = linesOf(output, size);
  while (lines.length > 0 && lines[lines.length - 1] === '') {
    lines.pop();
  }
  return lines.slice(-count).join('\n');
}

/** The last of lines that stand by themselves: of text that no terminal was fed, as notebooks keep it. */
export function lastOf(text: string, count: number): string {
  // Every line feed begins a line, and none is too long.
  return lastLines(`\x1b[20h${text}`, count, { rows: 24, cols: Math.max(text.length, 2) });
}

/** All lines of a terminal that is fed `output`. */
export function linesOf(output: string, size: ISize = SIZE): string[] {
  const screen = new Screen(size);
  screen.feed(output);
  return screen.lines();
}

class Screen {
  constructor({ rows, cols }: ISize) {
    this._grid = new Grid(Math.max(rows, 1), Math.max(cols, 2));
  }

  feed(output: string): void {
    const text = output.replace(C1, char =>
      KNOWN_C1.includes(char) ? `\x1b${String.fromCharCode(char.charCodeAt(0) - 0x40)}` : '\x18\x18'
    );
    for (const [token, prefix, parameters, intermediates, final] of text.matchAll(TOKEN)) {
      if (final !== undefined) {
        this._control(prefix + intermediates + final, parameters);
        this._grid.join = 0;
      } else if (token >= ' ' && token !== '\x7f') {
        if (!this._isElsewhere) {
          this._grid.put(this._charset === 'B' ? token : translated(token, this._charset));
        }
      } else if (!this._take(token)) {
        this._grid.join = 0;
      }
    }
  }

  /** The lines of what was scrolled out and of the screen, up to its last row that shows anything. */
  lines(): string[] {
    const { left, rows } = this._grid;
    const lines: Row[][] = [];
    for (const row of [...left, ...rows]) {
      if (row.wraps && lines.length > 0) {
        lines[lines.length - 1].push(row);
      } else {
        lines.push([row]);
      }
    }
    return lines.map(line => this._spell(line));
  }

  private _spell(line: readonly Row[]): string {
    const cells: [string, Pen][] = [];
    line.forEach(({ chars, pens }, at) => {
      chars.forEach((char, x) => {
        if (char !== HALF) {
          cells.push(char === NULL ? [NULL, PLAIN] : [char, pens[x]]);
        }
      });
      const next = line[at + 1];
      if (next) {
        // A wide character that found no room in the last column left it empty.
        const isEarly = chars.length < this._grid.cols && next.chars[1] === HALF;
        for (let x = chars.length; x < this._grid.cols - (isEarly ? 1 : 0); x++) {
          cells.push([NULL, PLAIN]);
        }
      }
    });
    while (cells.length > 0 && cells[cells.length - 1][0] === NULL) {
      cells.pop();
    }
    let core = cells.length;
    while (core > 0 && (cells[core - 1][0] || ' ') === ' ' && !showsBlanks(cells[core - 1][1])) {
      core -= 1;
    }
    // Blanks at the end that nobody sees stay where they were written once; bars are cleared with others.
    const blanks = line.some(row => row.isOver) ? '' : ' '.repeat(cells.length - core);
    return write(cells.slice(0, core).map(([char, pen]) => [char || ' ', pen])) + blanks;
  }

  /** Act on a control character or a sequence that is not a plain CSI. Return whether the character before still counts. */
  private _take(token: string): boolean {
    if (token[0] !== '\x1b') {
      if (!this._isElsewhere || token === '\x0e' || token === '\x0f') {
        this._controlCharacter(token);
      }
      return token === '\x7f';
    }
    const string = STRING.exec(token);
    if (string) {
      return 'X^_'.includes(string[1]);
    }
    const inside = token.match(INSIDE) ?? [];
    const plain = `\x1b${token.slice(1).replace(IGNORED, '')}`;
    inside.forEach(char => this._take(char));
    const csi = CSI.exec(plain);
    if (csi) {
      this._control(csi[1] + csi[3] + csi[4], csi[2]);
    } else {
      this._escape(plain.slice(1));
    }
    // What was cut short by a character or another sequence is as if it never was.
    return inside.length === 0 && !WELL_FORMED.test(plain) && !/[\x18\x1a]$/.test(token);
  }

  private _controlCharacter(char: string): void {
    const grid = this._grid;
    switch (char) {
      case '\n':
      case '\v':
      case '\f':
        grid.lineFeed();
        break;
      case '\r':
        grid.x = 0;
        break;
      case '\b':
        grid.back();
        break;
      case '\t':
        grid.tab();
        break;
      case '\x0e':
      case '\x0f':
        this._shift(SHIFTS[char]);
        break;
    }
  }

  private _escape(rest: string): void {
    const grid = this._grid;
    if (rest === 'c') {
      this._isElsewhere = false;
      this._resetCharsets();
      this._saved = [PLAIN, 'B'];
      grid.reset();
    } else if (rest.length === 1 && rest in SHIFTS) {
      this._shift(SHIFTS[rest]);
    } else if (rest.length === 2 && rest[0] in LEVELS && CHARSETS.includes(rest[1])) {
      this._designate(LEVELS[rest[0]], rest[1]);
    } else if (rest === '%@' || rest === '%G') {
      this._shift(0);
      this._designate(0, 'B');
    } else if (this._isElsewhere) {
      return;
    } else if (rest === '7') {
      this._save();
    } else if (rest === '8') {
      this._restore();
    } else if (rest === 'D') {
      grid.index();
    } else if (rest === 'E') {
      grid.x = 0;
      grid.index();
    } else if (rest === 'H') {
      grid.setStop(true);
    } else if (rest === 'M') {
      grid.reverseIndex();
    } else if (rest === '#8') {
      grid.fill();
    }
  }

  private _control(name: string, parameters: string): void {
    const grid = this._grid;
    const numbers = parameters.split(';', 32).map(value => Number.parseInt(value, 10) || 0);
    if (/^\??[hl]$/.test(name)) {
      numbers.forEach(mode => this._setMode(mode, name.endsWith('h'), name[0] === '?'));
    } else if (name === '!p') {
      this._softReset();
    } else if (this._isElsewhere) {
      return;
    } else if (name === 'm') {
      grid.pen = color(grid.pen, parameters);
    } else if (name === 's') {
      this._save();
    } else if (name === 'u') {
      this._restore();
    } else {
      const [first, second = 0] = numbers;
      FUNCTIONS[name]?.(grid, first, first || 1, second);
    }
  }

  private _setMode(mode: number, isOn: boolean, isPrivate: boolean): void {
    const grid = this._grid;
    if (!isPrivate) {
      if (mode === 4) {
        grid.isInserting = isOn;
      } else if (mode === 20) {
        grid.isNewline = isOn;
      }
      return;
    }
    switch (mode) {
      case 2:
        if (isOn) {
          [0, 1, 2, 3].forEach(level => this._designate(level, 'B'));
        }
        break;
      case 6:
        grid.isOrigin = isOn;
        if (!this._isElsewhere) {
          grid.goTo(0, 0);
        }
        break;
      case 7:
        grid.isWrapping = isOn;
        break;
      case 45:
        grid.isReverse = isOn;
        break;
      case 1048:
        if (!this._isElsewhere) {
          (isOn ? this._save : this._restore).call(this);
        }
        break;
      case 47:
      case 1047:
      case 1049:
        if (isOn && mode === 1049 && !this._isElsewhere) {
          this._save();
        }
        this._isElsewhere = isOn;
        if (!isOn && mode === 1049) {
          this._restore();
        }
        break;
    }
  }

  /** DECSTR: of what is saved, and of margins, those of the screen that is shown. */
  private _softReset(): void {
    const grid = this._grid;
    const { upper, bottom } = grid;
    grid.softReset();
    this._resetCharsets();
    if (this._isElsewhere) {
      Object.assign(grid, { upper, bottom });
    } else {
      this._saved = [PLAIN, 'B'];
    }
  }

  private _save(): void {
    this._grid.save();
    this._saved = [this._grid.pen, this._charset];
  }

  private _restore(): void {
    this._grid.restore();
    [this._grid.pen, this._charset] = this._saved;
  }

  private _shift(level: number): void {
    this._level = level;
    this._charset = this._charsets[level];
  }

  private _designate(level: number, charset: string): void {
    this._charsets[level] = charset;
    if (level === this._level) {
      this._charset = charset;
    }
  }

  private _resetCharsets(): void {
    this._charsets = ['B', 'B', 'B', 'B'];
    this._shift(0);
  }

  private readonly _grid: Grid;
  /** Whether a full-screen program is on, which has a screen of its own. */
  private _isElsewhere = false;
  private _charsets = ['B', 'B', 'B', 'B'];
  private _level = 0;
  private _charset = 'B';
  private _saved: [Pen, string] = [PLAIN, 'B'];
}

/** In the DEC special graphics and the British set a few characters are others. */
function translated(text: string, charset: string): string {
  if (charset === '0') {
    return text.replace(/[`-~]/g, char => GRAPHICS[char.charCodeAt(0) - 0x60]);
  }
  return charset === 'A' ? text.replace(/#/g, '£') : text;
}

/** What control sequences do to the grid, by prefix, intermediates and final; `count` is `first`, or 1 where that is 0. */
const FUNCTIONS: Record<
  string,
  ((grid: Grid, first: number, count: number, second: number) => void) | undefined
> = {
  '@': (grid, _, count) => grid.insertCells(count),
  A: (grid, _, count) => grid.up(count),
  B: (grid, _, count) => grid.down(count),
  C: (grid, _, count) => grid.move(count, 0),
  D: (grid, _, count) => grid.move(-count, 0),
  E: (grid, _, count) => {
    grid.down(count);
    grid.x = 0;
  },
  F: (grid, _, count) => {
    grid.up(count);
    grid.x = 0;
  },
  G: (grid, _, count) => grid.goTo(count - 1, grid.y),
  H: (grid, _, count, second) => grid.goTo((second || 1) - 1, count - 1),
  I: (grid, _, count) => grid.tab(count),
  J: (grid, first) => grid.eraseDisplay(first),
  K: (grid, first) => grid.eraseLine(first),
  L: (grid, _, count) => grid.insertRows(count),
  M: (grid, _, count) => grid.insertRows(-count),
  P: (grid, _, count) => grid.deleteCells(count),
  S: (grid, _, count) => grid.scrollUp(count),
  T: (grid, _, count) => grid.scrollUp(-count),
  X: (grid, _, count) => grid.eraseCells(count),
  Z: (grid, _, count) => grid.backTab(count),
  '`': (grid, _, count) => grid.goTo(count - 1, grid.y),
  a: (grid, _, count) => grid.move(count, 0),
  b: (grid, _, count) => grid.repeat(count),
  d: (grid, _, count) => grid.goTo(grid.x, count - 1),
  e: (grid, _, count) => grid.move(0, count),
  f: (grid, _, count, second) => grid.goTo((second || 1) - 1, count - 1),
  g: (grid, first) => {
    if (first === 3) {
      grid.clearStops();
    } else if (first === 0) {
      grid.setStop(false);
    }
  },
  r: (grid, first, _, second) => grid.setMargins(first, second),
  '?J': (grid, first) => grid.eraseDisplay(first),
  '?K': (grid, first) => grid.eraseLine(first),
  ' @': (grid, _, count) => grid.editColumns(0, -count),
  ' A': (grid, _, count) => grid.editColumns(0, count),
  "'}": (grid, _, count) => grid.editColumns(grid.x, count),
  "'~": (grid, _, count) => grid.editColumns(grid.x, -count)
};
