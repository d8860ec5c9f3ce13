/** The arguments of commands that are about tasks. */

import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';

/** Their JSON schema. */
export const TASKS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The id of the task' },
    ids: {
      type: 'array',
      items: { type: 'string' },
      description: 'The ids of several tasks; by default those selected in the panel'
    }
  }
};

/** The ids that the arguments name; null where they name none. */
export function argumentsOf(args: ReadonlyPartialJSONObject): string[] | null {
  if (typeof args.id === 'string') {
    return [args.id];
  }
  if (Array.isArray(args.ids)) {
    return args.ids.filter((id): id is string => typeof id === 'string');
  }
  return null;
}
