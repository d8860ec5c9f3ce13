/** The choice of finished tasks to delete. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { SPARED, type ICleanUp } from '../services/cleanup';
import type { Better } from '../services/types/measured';
import type { ITask } from '../services/types/tasks';

/** The values of the fields; empty for no restriction. */
export interface ICleanUpForm {
  /** A name of AGES. */
  age: string;
  /** A name of ENDS. */
  end: string;
  group: string;
  tag: string;
  /** The value of `bestBy`. */
  best: string;
}

/** For how long tasks must have ended, in days. */
export const AGES: Readonly<Record<string, number>> = { day: 1, week: 7, month: 30 };

/** Sets of states in which tasks have ended. */
export const ENDS: Readonly<Record<string, readonly string[]>> = {
  succeeded: ['succeeded'],
  wrong: ['failed', 'timed_out', 'lost'],
  cancelled: ['cancelled']
};

export const USUAL: ICleanUpForm = { age: 'week', end: '', group: '', tag: '', best: '' };

const DAY = 86_400;

/** Return the choice to keep the task with the lowest or highest value of a metric. */
export function bestBy(better: Better, metric: string): string {
  return `${better}:${metric}`;
}

/** Return the choices for all metrics of these tasks, the most likely ones first. */
export function bests(tasks: readonly Pick<ITask, 'metrics'>[]): [string, Better][] {
  const known = tasks.flatMap(({ metrics }) => Object.entries(metrics));
  const usual = [...new Map(known.map(([name, { better }]): [string, Better] => [name, better]))];
  usual.sort(([one], [other]) => (one < other ? -1 : 1));
  const others = usual.map(([name, better]): [string, Better] => [
    name,
    better === 'lower' ? 'higher' : 'lower'
  ]);
  return [...usual, ...others];
}

/** Return the query of `GET /cleanup`. */
export function cleanUpQuery(form: ICleanUpForm): Record<string, string> {
  const { age, end, group, tag, best } = form;
  const [better, ...name] = best.split(':');
  return {
    ...(age && { older_than: `${AGES[age] * DAY}` }),
    ...(end && { state: ENDS[end].join(',') }),
    ...(group && { group }),
    ...(tag && { tag }),
    ...(best && { keep_best: name.join(':'), better })
  };
}

/** Return which tasks are kept and why, in words; empty if there are none. */
export function sparedLabel({ spared }: ICleanUp, trans: TranslationBundle): string {
  const labels: Record<(typeof SPARED)[number], (count: number) => string> = {
    running: count => trans._n('%1 running', '%1 running', count),
    waiting: count => trans._n('%1 waiting', '%1 waiting', count),
    pinned: count => trans._n('%1 pinned', '%1 pinned', count),
    needed: count => trans._n('%1 needed by a queued task', '%1 needed by queued tasks', count),
    best: () => trans.__('the best one'),
    newest: count => trans._n('%1 newest', '%1 newest', count),
    unmeasured: count => trans._n('%1 without the metric', '%1 without the metric', count)
  };
  return SPARED.filter(why => spared[why] > 0)
    .map(why => labels[why](spared[why]))
    .join(' · ');
}
