/** The character sets of a terminal: four are designated, one of them is in use. Pure. */

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

export class Charsets {
  /** The set in use. */
  current = 'B';

  /** Return text in the active character set: DEC special graphics and the British set replace a few characters. */
  translated(text: string): string {
    if (this.current === '0') {
      return text.replace(/[`-~]/g, char => GRAPHICS[char.charCodeAt(0) - 0x60]);
    }
    return this.current === 'A' ? text.replace(/#/g, '£') : text;
  }

  /** Act on an escape sequence or a control character. Return whether it is about character sets. */
  take(rest: string): boolean {
    if (rest.length === 1 && rest in SHIFTS) {
      this._shift(SHIFTS[rest]);
    } else if (rest.length === 2 && rest[0] in LEVELS && CHARSETS.includes(rest[1])) {
      this._designate(LEVELS[rest[0]], rest[1]);
    } else if (rest === '%@' || rest === '%G') {
      this._shift(0);
      this._designate(0, 'B');
    } else {
      return false;
    }
    return true;
  }

  /** Designate ASCII for all four, as a switch to another mode does. */
  designateAscii(): void {
    this._designated = ['B', 'B', 'B', 'B'];
    this.current = 'B';
  }

  /** Reset to the initial state. */
  reset(): void {
    this._designated = ['B', 'B', 'B', 'B'];
    this._shift(0);
  }

  private _shift(level: number): void {
    this._level = level;
    this.current = this._designated[level];
  }

  private _designate(level: number, charset: string): void {
    this._designated[level] = charset;
    if (level === this._level) {
      this.current = charset;
    }
  }

  private _designated = ['B', 'B', 'B', 'B'];
  private _level = 0;
}
