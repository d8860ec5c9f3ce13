import { readFileSync } from 'fs';
import { join } from 'path';

import { lastLines, lastOf, linesOf } from '../format/ansilines';
import cases from '../../../tests/contract/lines.json';

const DATA = join(__dirname, '../../../tests/data');

interface ICase {
  name: string;
  rows: number;
  cols: number;
  stream?: string;
  file?: string;
  lines: string[];
  ansi: string[];
}

/** Lines without blanks at their ends, nor empty ones behind the last: as the contract has them. */
function trimmed(lines: readonly string[]): string[] {
  const kept = lines.map(line => line.trimEnd());
  while (kept.length > 0 && !plain(kept[kept.length - 1]).trim()) {
    kept.pop();
  }
  return kept;
}

function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, '');
}

describe('the contract', () => {
  it.each((cases as ICase[]).map(each => [each.name, each] as const))('has %s', (_, each) => {
    const stream = each.file ? readFileSync(join(DATA, each.file), 'utf-8') : (each.stream ?? '');
    const lines = trimmed(linesOf(stream, each));
    expect(lines).toEqual(each.ansi);
    expect(lines.map(line => plain(line).trimEnd())).toEqual(each.lines);
  });
});

describe('lastLines', () => {
  it.each([
    ['lines that are empty at the end', 'a\r\n\r\nb\r\n\r\n', 'a\n\nb'],
    ['a sequence that is cut off', 'a\x1b[3', 'a'],
    ['a string that is cut off', 'a\x1b]0;tit', 'a'],
    ['blanks that were written', 'a  \r\nb', 'a  \nb'],
    ['blanks that clear a bar', '100%|###|\r         \rdone  ', 'done']
  ])('knows %s', (_, output, lines) => {
    expect(lastLines(output, 10)).toBe(lines);
  });

  it('gives no more than was asked for', () => {
    expect(lastLines('1\r\n2\r\n3\r\n4\r\n', 2)).toBe('3\n4');
  });

  it('is quick with a bar that is drawn thousands of times', () => {
    const output = Array.from({ length: 2000 }, (_, at) => `\r\x1b[32m${at}\x1b[0m of 2000`);
    const since = performance.now();
    expect(lastLines(output.join(''), 10)).toBe('\x1b[32m1999\x1b[0m of 2000');
    expect(performance.now() - since).toBeLessThan(500);
  });
});

describe('lastOf', () => {
  it('takes lines as notebooks keep them', () => {
    const long = 'x'.repeat(500);
    expect(lastOf(`one\n\x1b[31mtwo\x1b[0m\n${long}\n`, 2)).toBe(`\x1b[31mtwo\x1b[0m\n${long}`);
  });
});
