/** The last lines of a terminal's output, as they stand there in the end: with colours, and nothing else. Pure. */

/**
 * What moves the cursor or erases (ECMA-48: CUU, CUD, CUF, CUB, CHA, ED, EL), and what colours (SGR); then all other
 * sequences: strings (OSC, DCS, APC …) to their end, and the short ones.
 */
const TOKENS =
  /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b\[[0-?]*[ -/]*$|\x1b[ -/]*[0-~]?|[\x00-\x1f\x7f-\x9f]|[^\x00-\x1f\x7f-\x9f]+/g;

const RESET = /^(?:0*;)*0*$/;
const PLAIN = '\x1b[0m';
const TAB = 8;

/** Columns that are kept: whoever wants to see more opens the terminal. */
const WIDTH = 1000;

interface ICell {
  pen: string;
  char: string;
}

/** The last `count` lines of the output that have something in them or between them, joined by line feeds. */
export function lastLines(output: string, count: number): string {
  const lines = draw(output).map(cells => write(cells));
  while (lines.length > 0 && lines[lines.length - 1] === '') {
    lines.pop();
  }
  return lines.slice(-count).join('\n');
}

/** Where everything stands, on a screen without borders. */
function draw(output: string): ICell[][] {
  const rows: ICell[][] = [[]];
  let row = 0;
  let column = 0;
  let pen = '';
  /** The alternate screen has no lines that stay. */
  let isElsewhere = false;
  for (const [token, parameters, last] of output.matchAll(TOKENS)) {
    const amount = Math.max(1, Number.parseInt(parameters ?? '', 10) || 1);
    if (last === undefined) {
      if (isElsewhere) {
        continue;
      }
      if (token === '\n') {
        row += 1;
        column = 0;
        rows[row] ??= [];
      } else if (token === '\r') {
        column = 0;
      } else if (token === '\b') {
        column = Math.max(0, column - 1);
      } else if (token === '\t') {
        column += TAB - (column % TAB);
      } else if (token > '\x1f' && !(token >= '\x7f' && token <= '\x9f')) {
        for (const char of token) {
          put(rows[row], column, { pen, char });
          column += 1;
        }
      }
    } else if (/^\?(?:47|1047|1049)$/.test(parameters)) {
      isElsewhere = last === 'h' || (isElsewhere && last !== 'l');
    } else if (isElsewhere || /[<-?]/.test(parameters)) {
      continue;
    } else if (last === 'm') {
      pen = RESET.test(parameters) ? '' : pen + token;
    } else if (last === 'A') {
      row = Math.max(0, row - amount);
    } else if (last === 'B') {
      row += amount;
      while (rows.length <= row) {
        rows.push([]);
      }
    } else if (last === 'C') {
      column += amount;
    } else if (last === 'D') {
      column = Math.max(0, column - amount);
    } else if (last === 'G') {
      column = amount - 1;
    } else if (last === 'K') {
      erase(rows[row], column, parameters);
    } else if (last === 'J' && /^0*$/.test(parameters)) {
      erase(rows[row], column, parameters);
      rows.splice(row + 1);
    }
  }
  return rows;
}

function put(cells: ICell[], column: number, cell: ICell): void {
  if (column < WIDTH) {
    while (cells.length < column) {
      cells.push({ pen: '', char: ' ' });
    }
    cells[column] = cell;
  }
}

/** Erases to the end of the line, to its beginning (1), or all of it (2). */
function erase(cells: ICell[], column: number, what: string): void {
  if (what === '1') {
    cells.forEach((_, at) => at <= column && put(cells, at, { pen: '', char: ' ' }));
  } else {
    cells.splice(what === '2' ? 0 : column);
  }
}

function write(cells: readonly ICell[]): string {
  let text = '';
  let drawn = '';
  for (const { pen, char } of cells) {
    if (pen !== drawn) {
      text += (drawn && PLAIN) + pen;
      drawn = pen;
    }
    text += char;
  }
  return drawn ? text + PLAIN : text.trimEnd();
}
