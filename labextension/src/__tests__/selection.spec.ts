import type { Row } from '../widgets/panel/filter';
import { move, NOTHING, pick, pickAll, settle, type ISelection } from '../widgets/panel/selection';

/** Rows from a word: capitals are headings. */
function rowsOf(word: string): Row[] {
  return [...word].map(key =>
    key === key.toUpperCase()
      ? {
          kind: 'heading',
          key,
          label: key,
          count: 1,
          isCollapsed: false,
          standing: null,
          sweep: null
        }
      : ({ kind: 'task', key } as Row)
  );
}

function text(selection: ISelection): string {
  return `${[...selection.selected].sort().join('')}/${selection.active}`;
}

const rows = rowsOf('AbcDef');

describe('pick', () => {
  it('selects one', () => {
    expect(text(pick(pick(NOTHING, rows, 'b', 'only'), rows, 'e', 'only'))).toBe('e/e');
  });

  it('adds and takes away', () => {
    let selection = pick(NOTHING, rows, 'b', 'only');
    selection = pick(selection, rows, 'f', 'toggle');
    expect(text(selection)).toBe('bf/f');
    expect(text(pick(selection, rows, 'b', 'toggle'))).toBe('f/b');
  });

  it('selects ranges in both directions, without headings, from where they began', () => {
    let selection = pick(NOTHING, rows, 'c', 'only');
    selection = pick(selection, rows, 'f', 'range');
    expect(text(selection)).toBe('cef/f');
    expect(text(pick(selection, rows, 'b', 'range'))).toBe('bc/b');
  });

  it('makes a heading active and selects nothing', () => {
    expect(text(pick(NOTHING, rows, 'D', 'only'))).toBe('/D');
    expect(text(pick(NOTHING, rows, 'D', 'toggle'))).toBe('/D');
  });
});

describe('move', () => {
  it('stops at the ends', () => {
    const last = move(pick(NOTHING, rows, 'e', 'only'), rows, 9, 'only');
    expect(text(last)).toBe('f/f');
    expect(text(move(last, rows, -99, 'only'))).toBe('/A');
  });

  it('begins with the first row', () => {
    expect(text(move(NOTHING, rows, 1, 'only'))).toBe('/A');
    expect(move(NOTHING, [], 1, 'only')).toBe(NOTHING);
  });

  it('extends', () => {
    const selection = move(pick(NOTHING, rows, 'c', 'only'), rows, 2, 'range');
    expect(text(selection)).toBe('ce/e');
  });

  it('can take all', () => {
    expect(text(pickAll(NOTHING, rows))).toBe('bcef/null');
  });
});

describe('settle', () => {
  const selection = pick(pick(NOTHING, rows, 'c', 'only'), rows, 'e', 'toggle');

  it('changes nothing while all is there', () => {
    expect(settle(selection, rows, rowsOf('xAbcDef'))).toBe(selection);
  });

  it('forgets what is gone, and goes on in its place', () => {
    expect(text(settle(selection, rows, rowsOf('AbcDf')))).toBe('c/f');
    expect(text(settle(selection, rows, rowsOf('Ab')))).toBe('/b');
    expect(text(settle(selection, rows, []))).toBe('/null');
  });
});
