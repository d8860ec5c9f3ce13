/**
 * The lines that a terminal shows, as text with colors, without overwritten or erased text and full-screen programs.
 * tests/contract/lines.json checks it against xterm.js, like core/terminal/lines.py. Pure.
 */

import type { Grid } from './grid';
import { PLAIN, showsBlanks, write, type Pen } from './paint';
import { HALF, NULL, type Row } from './row';
import { Screen, type ISize } from './screen';

const SIZE: ISize = { rows: 24, cols: 80 };

/** Return the last `count` lines of the output without blank lines at the end, joined by line feeds. */
export function lastLines(output: string, count: number, size: ISize = SIZE): string {
  const lines = linesOf(output, size);
  while (lines.length > 0 && lines[lines.length - 1] === '') {
    lines.pop();
  }
  return lines.slice(-count).join('\n');
}

/** Return the last `count` lines of plain lines, such as those stored in notebooks: text that is not terminal output. */
export function lastOf(text: string, count: number): string {
  // With LNM set, each line feed also returns the carriage; the screen is wide enough for every line.
  return lastLines(`\x1b[20h${text}`, count, { rows: 24, cols: Math.max(text.length, 2) });
}

/** Return all lines of a terminal that is fed `output`. */
export function linesOf(output: string, size: ISize = SIZE): string[] {
  const screen = new Screen(size);
  screen.feed(output);
  return linesOn(screen.grid);
}

/** Return the lines of the scrollback and of the screen, up to its last row that is not blank. */
function linesOn({ left, rows, cols }: Grid): string[] {
  const lines: Row[][] = [];
  for (const row of [...left, ...rows]) {
    if (row.wraps && lines.length > 0) {
      lines[lines.length - 1].push(row);
    } else {
      lines.push([row]);
    }
  }
  return lines.map(line => spelled(line, cols));
}

function spelled(line: readonly Row[], cols: number): string {
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
      const isEarly = chars.length < cols && next.chars[1] === HALF;
      for (let x = chars.length; x < cols - (isEarly ? 1 : 0); x++) {
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
  // Keep invisible blanks at the end if nothing was overwritten: programs also clear progress bars with blanks.
  const blanks = line.some(row => row.isOver) ? '' : ' '.repeat(cells.length - core);
  return write(cells.slice(0, core).map(([char, pen]) => [char || ' ', pen])) + blanks;
}
