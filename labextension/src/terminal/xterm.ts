/** What we need of xterm.js and Lab's terminal does not pass on; where it is not to be had, we do without. */

import type { Terminal } from '@jupyterlab/terminal';

interface IXterm {
  readonly rows: number;
  readonly cols: number;
  write(data: string, callback: () => void): void;
  resize(cols: number, rows: number): void;
}

/** Milliseconds in which a terminal may be supposed to have drawn what it was given. */
const SUPPOSED = 20;

/** Calls back when the terminal has drawn all that it was given so far. Goes on in a page that is hidden. */
export function whenDrawn(terminal: Terminal, done: () => void): void {
  const xterm = find(terminal);
  if (xterm) {
    xterm.write('', done);
  } else {
    setTimeout(done, SUPPOSED);
  }
}

/** Gives the terminal a size that is not that of its place on the screen, until it is fitted again. */
export function resize(terminal: Terminal, rows: number, cols: number): void {
  const xterm = find(terminal);
  if (xterm && rows > 0 && cols > 0 && (xterm.rows !== rows || xterm.cols !== cols)) {
    xterm.resize(cols, rows);
  }
}

function find(terminal: Terminal): IXterm | null {
  const found = (terminal as unknown as { _term?: Partial<IXterm> })._term;
  const isOne = typeof found?.write === 'function' && typeof found.resize === 'function';
  return isOne && !terminal.isDisposed ? (found as IXterm) : null;
}
