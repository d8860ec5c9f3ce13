/** Finds rows by the typed first characters of their names. */

import { useRef } from 'react';

import type { Row } from './filter';

/** Milliseconds after which a character starts a new search. */
const PAUSE = 700;

/** Return a function that takes a typed character and returns all characters typed without a pause. */
export function useTypeAhead(): (key: string) => string {
  const state = useRef({ text: '', at: -Infinity });
  return key => {
    const now = Date.now();
    const before = now - state.current.at < PAUSE ? state.current.text : '';
    state.current = { text: before + key.toLocaleLowerCase(), at: now };
    return state.current.text;
  };
}

/**
 * Return the key of the next task, from the row with this index on, whose name or label begins with a text; undefined if there
 * is none. Repeating a single character moves from row to row.
 */
export function nextNamed(rows: readonly Row[], active: number, text: string): string | undefined {
  const from = text.length === 1 ? active + 1 : Math.max(active, 0);
  const inTurn = [...rows.slice(from), ...rows.slice(0, from)];
  return inTurn.find(
    row =>
      row.kind === 'task' &&
      [row.task.name, row.label.replace(/^…/, '')].some(name =>
        name.toLocaleLowerCase().startsWith(text)
      )
  )?.key;
}
