/** The selection and the active row of the list, and how mouse and keyboard change them. Pure. */

import type { Row } from './filter';

/** The part of a row that is used here. */
export type IPickable = Pick<Row, 'kind' | 'key'>;

export interface ISelection {
  /** The ids of the selected tasks. */
  selected: ReadonlySet<string>;
  /** The key of the row with the keyboard focus: a task or a heading. */
  active: string | null;
  /** The key of the first row of a range. */
  anchor: string | null;
}

/** How to combine with the current selection. */
export type Mode = 'only' | 'toggle' | 'range';

export const NOTHING: ISelection = { selected: new Set(), active: null, anchor: null };

/** Select the row with this key. A heading becomes active, but is never selected. */
export function pick(
  selection: ISelection,
  rows: readonly IPickable[],
  key: string,
  mode: Mode
): ISelection {
  if (mode === 'toggle') {
    const selected = new Set(selection.selected);
    if (!selected.delete(key)) {
      ids(rows, key, key).forEach(id => selected.add(id));
    }
    return { selected, active: key, anchor: key };
  }
  const anchor = mode === 'range' ? (selection.anchor ?? key) : key;
  return { selected: new Set(ids(rows, anchor, key)), active: key, anchor };
}

/** Move `step` rows down, or up if negative, within the list. */
export function move(
  selection: ISelection,
  rows: readonly IPickable[],
  step: number,
  mode: Mode
): ISelection {
  if (rows.length === 0) {
    return NOTHING;
  }
  const from = rows.findIndex(row => row.key === selection.active);
  // Without an active row, go to the first one.
  const to = from < 0 ? 0 : Math.min(Math.max(from + step, 0), rows.length - 1);
  return pick(selection, rows, rows[to].key, mode);
}

/** Select all tasks in the list. */
export function pickAll(selection: ISelection, rows: readonly IPickable[]): ISelection {
  const selected = new Set(rows.filter(row => row.kind === 'task').map(row => row.key));
  return { ...selection, selected };
}

/**
 * Return the selection without rows that no longer exist. If the active row no longer exists, the one in its place becomes
 * active.
 */
export function settle(
  selection: ISelection,
  before: readonly IPickable[],
  rows: readonly IPickable[]
): ISelection {
  const present = new Set(rows.map(row => row.key));
  const isThere = (key: string | null): key is string => key !== null && present.has(key);
  const selected = [...selection.selected].filter(isThere);
  const isWhole = selected.length === selection.selected.size;
  if (isWhole && (selection.active === null || isThere(selection.active))) {
    return selection;
  }
  let { active } = selection;
  if (active !== null && !isThere(active)) {
    const place = before.findIndex(row => row.key === selection.active);
    active = rows[Math.min(Math.max(place, 0), rows.length - 1)]?.key ?? null;
  }
  const anchor = isThere(selection.anchor) ? selection.anchor : active;
  return { selected: new Set(selected), active, anchor };
}

/** Return the ids of the tasks between two rows, inclusive. */
function ids(rows: readonly IPickable[], from: string, to: string): string[] {
  const end = rows.findIndex(row => row.key === to);
  const start = rows.findIndex(row => row.key === from);
  const [first, last] = start < 0 ? [end, end] : [Math.min(start, end), Math.max(start, end)];
  return rows
    .slice(first, last + 1)
    .filter(row => row.kind === 'task')
    .map(row => row.key);
}
