/** What we need of xterm.js and Lab's terminal does not pass on; where it is not to be had, we do without. */

import type { Terminal } from '@jupyterlab/terminal';

import type { IScreen } from './endkeeper';

interface IXterm {
  readonly rows: number;
  readonly cols: number;
  readonly buffer: { readonly active: { readonly viewportY: number; readonly baseY: number } };
  write(data: string, callback: () => void): void;
  resize(cols: number, rows: number): void;
  scrollToBottom(): void;
  onRender(listener: () => void): void;
  onSelectionChange(listener: () => void): void;
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

/** Pixels by which what is at its end may be off, by rounding. */
const ROUNDING = 2;

/**
 * Where a terminal is scrolled to: within its output, and, where it is larger than its place, within that. At its end where
 * it cannot be told.
 */
export function screenOf(terminal: Terminal): IScreen {
  const { node } = terminal;
  return {
    get isAtEnd(): boolean {
      const buffer = find(terminal)?.buffer.active;
      // The place is drawn from its bottom up (style/terminal.css): there it is at zero.
      return (!buffer || buffer.viewportY >= buffer.baseY) && Math.abs(node.scrollTop) < ROUNDING;
    },
    scrollToEnd(): void {
      node.scrollTop = 0;
      find(terminal)?.scrollToBottom();
    }
  };
}

/** Calls back whenever the terminal has been drawn, and when its selection has changed, as searching does. */
export function watch(terminal: Terminal, onDrawn: () => void, onSelected: () => void): void {
  const xterm = find(terminal);
  xterm?.onRender(onDrawn);
  xterm?.onSelectionChange(onSelected);
}

function find(terminal: Terminal): IXterm | null {
  const found = (terminal as unknown as { _term?: Partial<IXterm> })._term;
  const isOne = typeof found?.write === 'function' && typeof found.resize === 'function';
  return isOne && !terminal.isDisposed ? (found as IXterm) : null;
}
