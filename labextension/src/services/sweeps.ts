/** Sweeps, as derived from their tasks. Pure. */

import { isActive, isPending, wentWrong } from './types/states';
import type { ITask } from './types/tasks';

/** The numbers of tasks in a sweep, by their states. */
export interface ISweepStanding {
  id: string;
  name: string;
  total: number;
  ended: number;
  /** Of the ended ones, those that neither succeeded nor were stopped. */
  failed: number;
  running: number;
  pending: number;
  /** Of the pending ones, those that wait to be released. */
  held: number;
}

/** Return the standing of each sweep, by id, newest first. */
export function sweepStandings(tasks: readonly ITask[]): ReadonlyMap<string, ISweepStanding> {
  const found = new Map<string, ISweepStanding>();
  for (const task of tasks) {
    if (!task.sweep) {
      continue;
    }
    const { id, name } = task.sweep;
    const counts = { total: 0, ended: 0, failed: 0, running: 0, pending: 0, held: 0 };
    const standing = found.get(id) ?? { id, name, ...counts };
    found.set(id, standing);
    standing.total += 1;
    if (isActive(task)) {
      standing.running += 1;
    } else if (isPending(task)) {
      standing.pending += 1;
      standing.held += Number(task.state === 'held');
    } else {
      standing.ended += 1;
      standing.failed += Number(wentWrong(task));
    }
  }
  // Ids sort by the time of creation.
  return new Map([...found].sort(([a], [b]) => (a < b ? 1 : -1)));
}
