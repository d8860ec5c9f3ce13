/** The queue as users see it: the order of the pending tasks, and the numbers of tasks in each group. Pure. */

import { DEFAULT_GROUP, type IGroup } from './types/groups';
import { isActive, isPending, wentWrong } from './types/states';
import type { ITask } from './types/tasks';

/** The numbers of tasks in a group, by their states. */
export interface IStanding {
  group: IGroup;
  /** The number of active tasks, and of the slots that they take. */
  running: number;
  used: number;
  pending: number;
  /** The number of tasks that ended neither successfully nor because they were stopped. */
  failed: number;
  /** The number of all its tasks. */
  total: number;
}

/** Compare two pending tasks by their turns. */
export function compareTurns(a: ITask, b: ITask): number {
  return b.priority - a.priority || compareText(rank(a), rank(b)) || compareText(a.id, b.id);
}

function rank(task: ITask): string {
  return task.rank || task.id;
}

/** Compare as the server does. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Return the pending tasks of a group in the order of their turns. */
export function lineOf(tasks: readonly ITask[], group: string): ITask[] {
  return tasks.filter(task => isPending(task) && task.group === group).sort(compareTurns);
}

/** Return whether tasks of a group wait for their turns. */
export function isQueue(group: IGroup): boolean {
  return group.slots !== null || group.paused || group.gpus !== null;
}

/** Return whether groups are worth showing: there is one besides the default group, or a task waits. */
export function hasQueue(tasks: readonly ITask[], groups: readonly IGroup[]): boolean {
  return (
    groups.some(group => group.name !== DEFAULT_GROUP || isQueue(group)) ||
    tasks.some(task => isPending(task) || task.group !== DEFAULT_GROUP)
  );
}

/** Return the standings of the groups that are configured or have tasks, by name, the default group last. */
export function standings(
  tasks: readonly ITask[],
  groups: readonly IGroup[]
): ReadonlyMap<string, IStanding> {
  const found = new Map<string, IStanding>();
  const add = (group: IGroup) => {
    const standing = { group, running: 0, used: 0, pending: 0, failed: 0, total: 0 };
    found.set(group.name, standing);
    return standing;
  };
  groups.forEach(add);
  for (const task of tasks) {
    const standing = found.get(task.group) ?? add(unlimited(task.group));
    standing.total += 1;
    if (isActive(task)) {
      standing.running += 1;
      standing.used += task.slots;
    } else if (isPending(task)) {
      standing.pending += 1;
    } else if (wentWrong(task)) {
      standing.failed += 1;
    }
  }
  return new Map([...found].sort(([a], [b]) => compareNames(a, b)));
}

function unlimited(name: string): IGroup {
  return { name, slots: null, gpus: null, paused: false, reason: '', ends: null };
}

/** Compare alphabetically, with the default group last. */
function compareNames(a: string, b: string): number {
  const isLast = (name: string) => Number(name === DEFAULT_GROUP);
  return isLast(a) - isLast(b) || a.localeCompare(b, undefined, { numeric: true });
}
