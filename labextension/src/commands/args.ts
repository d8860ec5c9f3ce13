/** The arguments of commands about tasks. */

import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';

/** The JSON schema. */
export const TASKS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The ID of the task' },
    ids: {
      type: 'array',
      items: { type: 'string' },
      description: 'The IDs of several tasks (default: the tasks selected in the panel)'
    }
  }
};

/** Return the task ids in the arguments; null if there are none. */
export function argumentsOf(args: ReadonlyPartialJSONObject): string[] | null {
  if (typeof args.id === 'string') {
    return [args.id];
  }
  if (Array.isArray(args.ids)) {
    return args.ids.filter((id): id is string => typeof id === 'string');
  }
  return null;
}

/** Return the tasks with these ids that exist. If one is missing, refresh the list first: it may have just been started. */
export async function lookUp(
  model: Pick<ITaskModel, 'get' | 'refresh'>,
  ids: readonly string[]
): Promise<ITask[]> {
  if (ids.some(id => !model.get(id))) {
    await model.refresh();
  }
  return ids.flatMap(id => model.get(id) ?? []);
}
