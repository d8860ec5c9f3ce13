/** The effect of output on a terminal; tests/contract/lines.json checks it against xterm.js. Pure. */

import { Charsets } from './charsets';
import { Grid } from './grid';
import { PLAIN, color, type Pen } from './paint';
import { FUNCTIONS } from './sequences';
import { CSI, IGNORED, INSIDE, STRING, TOKEN, WELL_FORMED, withoutC1 } from './tokens';

/** The size of a terminal. */
export interface ISize {
  rows: number;
  cols: number;
}

/** A terminal with its normal screen. Output to the alternate screen of full-screen programs is left out. */
export class Screen {
  constructor({ rows, cols }: ISize) {
    this.grid = new Grid(Math.max(rows, 1), Math.max(cols, 2));
  }

  /** Draw output. */
  feed(output: string): void {
    const tokens = withoutC1(output).matchAll(TOKEN);
    for (const [token, prefix, parameters, intermediates, final] of tokens) {
      if (final !== undefined) {
        this._control(prefix + intermediates + final, parameters);
        this.grid.join = 0;
      } else if (token >= ' ' && token !== '\x7f') {
        if (!this._isElsewhere) {
          this.grid.put(this._charsets.translated(token));
        }
      } else if (!this._take(token)) {
        this.grid.join = 0;
      }
    }
  }

  /** Act on a control character or a sequence that is not a plain CSI. Return whether a combining mark may still follow. */
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
    // A token that was aborted by a character or another sequence has no effect.
    return inside.length === 0 && !WELL_FORMED.test(plain) && !/[\x18\x1a]$/.test(token);
  }

  private _controlCharacter(char: string): void {
    const grid = this.grid;
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
        this._charsets.take(char);
        break;
    }
  }

  private _escape(rest: string): void {
    const grid = this.grid;
    if (rest === 'c') {
      this._isElsewhere = false;
      this._charsets.reset();
      this._saved = [PLAIN, 'B'];
      grid.reset();
    } else if (this._charsets.take(rest) || this._isElsewhere) {
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
    const grid = this.grid;
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
    const grid = this.grid;
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
          this._charsets.designateAscii();
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

  /** DECSTR: saved state and margins are reset only for the active screen. */
  private _softReset(): void {
    const grid = this.grid;
    const { upper, bottom } = grid;
    grid.softReset();
    this._charsets.reset();
    if (this._isElsewhere) {
      Object.assign(grid, { upper, bottom });
    } else {
      this._saved = [PLAIN, 'B'];
    }
  }

  private _save(): void {
    this.grid.save();
    this._saved = [this.grid.pen, this._charsets.current];
  }

  private _restore(): void {
    this.grid.restore();
    [this.grid.pen, this._charsets.current] = this._saved;
  }

  /** The drawn rows. */
  readonly grid: Grid;

  /** Whether the alternate screen of a full-screen program is active. */
  private _isElsewhere = false;
  private readonly _charsets = new Charsets();
  private _saved: [Pen, string] = [PLAIN, 'B'];
}
