/** Sweeps, as far as their tasks tell of them. Pure. */

import { isActive, isPending, wentWrong } from './types/states';
import type { ITask } from './types/tasks';

/** How far a sweep is. */
export interface ISweepStanding {
  id: string;
  name: string;
  /** The number of its tasks; of those that have ended, and of those of them that ended neither successfully nor because
   * they were stopped. */
  total: number;
  ended: number;
  failed: number;
  running: number;
  pending: number;
  /** The number of pending tasks that are to be released. */
  held: number;
}

/** Return how far each sweep is, by its id, the newest first. */
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
  // Ids sort by the time of the creation.
  return new Map([...found].sort(([a], [b]) => (a < b ? 1 : -1)));
}
