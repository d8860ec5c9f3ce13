/** The list of the tasks, and what has changed in it. */

import { z } from 'zod';

import { fieldsOf } from './errors';
import { taskSchema, waitSchema, type ITask } from './tasks';
import { word } from './values';

/** A page of the list. `readTasks` validates the tasks one by one, so that an invalid one does not hide the others. */
export const pageSchema = z.object({
  tasks: z.array(z.unknown()),
  next_cursor: z.string().nullable(),
  /** The number of tasks that the server could not read. */
  omitted: z.number().catch(0),
  /** The revision to request changes since; null if the server does not report changes. */
  revision: z.string().nullable().catch(null)
});

export type IPage = z.infer<typeof pageSchema>;

/** The changes of the list since a revision. If they are not `complete`, the whole list must be requested. */
export const changesSchema = z.object({
  complete: z.boolean(),
  tasks: z.array(z.unknown()),
  deleted: z.array(z.string()),
  /** Why other pending tasks do not run, by id. */
  waits: z.record(waitSchema),
  revision: z.string()
});

/** A task in the list that cannot be read. */
export interface IUnreadable {
  /** The id; empty if it is invalid too. */
  id: string;
  /** The name or else the id; empty if both are invalid. */
  label: string;
  /** The invalid fields. */
  fields: readonly string[];
}

/** Validate the tasks of a list. Return the valid and the invalid ones. */
export function readTasks(found: readonly unknown[]): {
  tasks: ITask[];
  unreadable: IUnreadable[];
} {
  const tasks: ITask[] = [];
  const unreadable: IUnreadable[] = [];
  for (const one of found) {
    const parsed = taskSchema.safeParse(one);
    if (parsed.success) {
      tasks.push(parsed.data);
    } else {
      const { id, name } = nameSchema.parse(one);
      unreadable.push({ id, label: name || id, fields: fieldsOf(parsed.error) });
    }
  }
  return { tasks, unreadable };
}

const nameSchema = z.object({ id: word, name: word }).catch({ id: '', name: '' });
