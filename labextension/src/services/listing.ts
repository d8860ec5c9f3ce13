/** The list of tasks, and how changes update it. Pure. */

import type { z } from 'zod';

import type { changesSchema, IUnreadable } from './types/lists';
import { isEnded } from './types/states';
import type { ITask } from './types/tasks';

/** The task list: the tasks, newest first, and those that cannot be read. */
export interface IListing {
  tasks: readonly ITask[];
  unreadable: readonly IUnreadable[];
  /** The revision to request changes since; null if the server does not report changes. */
  revision: string | null;
}

/** Return a list with changes. Tasks that have not changed stay the same objects. */
export function patched(
  list: IListing,
  { tasks, unreadable, deleted, waits, revision }: IListing & IChanges
): IListing {
  const known = new Map(list.tasks.map(task => [task.id, task]));
  for (const [id, queue] of Object.entries(waits)) {
    const task = known.get(id);
    if (task) {
      known.set(id, { ...task, queue });
    }
  }
  for (const id of [...deleted, ...unreadable.map(one => one.id)]) {
    known.delete(id);
  }
  const told = new Set([...deleted, ...[...tasks, ...unreadable].map(one => one.id)]);
  tasks.forEach(task => known.set(task.id, task));
  return {
    // The ids of newer tasks are greater.
    tasks: [...known.values()].sort((a, b) => (a.id < b.id ? 1 : -1)),
    unreadable: [...list.unreadable.filter(({ id }) => !told.has(id)), ...unreadable],
    revision
  };
}

type IChanges = Pick<z.infer<typeof changesSchema>, 'deleted' | 'waits'>;

/** What events say of an attempt of a task. */
export interface INews {
  attempt: number;
  fields: Partial<ITask>;
}

/**
 * Return a list with news, by task id. News of other attempts is ignored, and older than the final values of ended tasks. Tasks
 * without news stay the same objects.
 */
export function withNews(list: IListing, news: ReadonlyMap<string, INews>): IListing {
  const tasks = list.tasks.map(task => {
    const heard = news.get(task.id);
    return heard?.attempt === task.attempt && !isEnded(task) ? { ...task, ...heard.fields } : task;
  });
  return tasks.some((task, index) => task !== list.tasks[index]) ? { ...list, tasks } : list;
}
