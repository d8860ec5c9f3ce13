/** A line of the output is found in a terminal, and shown. */

import type { Terminal } from '@jupyterlab/terminal';

import { showLine } from '../terminal/xterm';

/** Return a terminal of 10 rows by 20 columns that shows these rows; those that begin with a bar go on from the one before. */
function terminalOf(rows: readonly string[]) {
  const lines = rows.map(row => ({
    isWrapped: row.startsWith('|'),
    translateToString: () => row.replace(/^\|/, '')
  }));
  const active = { length: lines.length, getLine: (row: number) => lines[row] };
  const term = {
    rows: 10,
    cols: 20,
    buffer: { active },
    write: jest.fn(),
    resize: jest.fn(),
    scrollToLine: jest.fn(),
    select: jest.fn()
  };
  return { term, terminal: { _term: term, isDisposed: false } as unknown as Terminal };
}

const ABOVE = Array.from({ length: 50 }, (_, step) => `step ${step}`);

describe('showLine', () => {
  it('scrolls to the last line with a text, and selects it', () => {
    const { term, terminal } = terminalOf(['OSError: full', ...ABOVE, 'OSError: full', 'bye', '']);
    expect(showLine(terminal, 'OSError: full')).toBe(true);
    expect(term.scrollToLine).toHaveBeenCalledWith(51 - 3);
    expect(term.select).toHaveBeenCalledWith(0, 51, 20);
  });

  it('finds a line that is wrapped', () => {
    const { term, terminal } = terminalOf(['ValueError: the rate', '| is negative', '']);
    expect(showLine(terminal, 'ValueError: the rate is negative')).toBe(true);
    expect(term.scrollToLine).toHaveBeenCalledWith(0);
    expect(term.select).toHaveBeenCalledWith(0, 0, 40);
  });

  it.each(['no such line', 'OSError', ''])('says so if there is none: “%s”', text => {
    const { term, terminal } = terminalOf(['OSError: full', '']);
    expect(showLine(terminal, text)).toBe(false);
    expect(term.scrollToLine).not.toHaveBeenCalled();
  });

  it('does nothing without access to the terminal', () => {
    expect(showLine({ isDisposed: false } as unknown as Terminal, 'x')).toBe(false);
  });
});
