/** The view of the table of runs, as it is stored: columns, order and filters; and the query for it. Pure. */

import { z } from 'zod';

import { STATES, type State } from './types/states';

/** Sets of states that are chosen together. */
export const STATE_SETS: Readonly<Record<string, readonly State[]>> = {
  live: ['held', 'queued', 'starting', 'running', 'paused', 'stopping'],
  wrong: ['failed', 'timed_out', 'lost']
};

/** The choice beside the states of all tasks that have a warning, and the kinds of warnings. */
export const WARNED = 'warned';
const WARNINGS = 'stalled,not_a_number';

/** How long ago tasks may have ended, in hours, by the name of the choice. */
export const PERIODS: Readonly<Record<string, number>> = {
  hour: 1,
  day: 24,
  week: 7 * 24,
  month: 30 * 24
};

const HOUR = 3_600_000;

const viewSchema = z.object({
  /** The ids of the columns; null for the default ones. */
  columns: z.array(z.string()).nullable().catch(null),
  /** As in `GET /tasks`; empty for newest first. */
  sort: z.string().catch(''),
  /** A state, or a set of them; empty for all. */
  state: z.string().catch(''),
  group: z.string().catch(''),
  tag: z.string().catch(''),
  /** A name of PERIODS; empty for any time. */
  period: z.string().catch(''),
  text: z.string().catch('')
});

export type IRunsView = z.infer<typeof viewSchema>;

export const EVERYTHING: IRunsView = viewSchema.parse({});

/** The current view, and those that were saved under a name. */
export interface IRunsViews {
  current: IRunsView;
  saved: readonly { name: string; view: IRunsView }[];
}

const viewsSchema = z.object({
  current: viewSchema.catch(EVERYTHING),
  saved: z.array(z.object({ name: z.string(), view: viewSchema })).catch([])
});

/** Parse stored views. Invalid parts get their defaults. */
export function readViews(stored: unknown): IRunsViews {
  return viewsSchema.catch({ current: EVERYTHING, saved: [] }).parse(stored);
}

/** Return the view without filters. */
export function unfiltered({ columns, sort }: IRunsView): IRunsView {
  return { ...EVERYTHING, columns, sort };
}

/** Return whether a view has filters. */
export function isFiltered(view: IRunsView): boolean {
  return Boolean(view.state || view.group || view.tag || view.period || view.text.trim());
}

/** Return the query of `GET /tasks` for a view, at `now` in milliseconds. */
export function queryOf(view: IRunsView, now: number): Record<string, string> {
  const { sort, state, group, tag, period, text } = view;
  const states = STATE_SETS[state] ?? STATES.filter(one => one === state);
  const hours = PERIODS[period];
  return {
    ...(sort && { sort }),
    ...(states.length > 0 && { state: states.join(',') }),
    ...(state === WARNED && { warning: WARNINGS }),
    ...(group && { group }),
    ...(tag && { tag }),
    ...(hours && { since: new Date(now - hours * HOUR).toISOString() }),
    ...(text.trim() && { q: text.trim() })
  };
}

/** Return the parameters of `GET /search` for the tasks that a view shows, at `now` in milliseconds. */
export function searchOf(view: IRunsView, now: number): Record<string, string> {
  const about = view.text.trim();
  return {
    ...queryOf({ ...view, sort: '', text: '' }, now),
    ...(about && { task_q: about })
  };
}

/** Return the order after a click on a column: ascending, then descending, then newest first. */
export function nextSort(sort: string, by: string): string {
  return sort === by ? `-${by}` : sort === `-${by}` ? '' : by;
}
