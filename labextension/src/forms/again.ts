/** The changes in a copy of a task: the difference between the dialog's values before and after editing. Pure. */

import type { IAgain, ITaskRequest } from '../services/types/requests';
import type { ITask } from '../services/types/tasks';
import { DEFAULT_GROUP } from '../services/types/groups';
import { LOCAL } from '../services/types/places';
import { formOf, type IForm } from './requests';

/** Return the dialog's values for a task. Its environment variables stay on the server. */
export function againForm(task: ITask, queues: readonly string[]): IForm {
  const { command, name, cwd, group, tags, timeout, place, resources } = task;
  return formOf(
    {
      command,
      name,
      cwd,
      tags,
      place,
      resources,
      ...(group !== DEFAULT_GROUP && { group }),
      ...(timeout !== null && { timeout })
    },
    queues
  );
}

/** Return the difference between the requests before and after editing, with only the variables that change. */
export function againChanges(before: ITaskRequest, after: ITaskRequest): IAgain {
  const isSame = (field: keyof ITaskRequest) =>
    JSON.stringify(before[field]) === JSON.stringify(after[field]);
  return {
    ...(!isSame('command') && { command: after.command }),
    ...(!isSame('name') && after.name && { name: after.name }),
    ...(!isSame('cwd') && { cwd: after.cwd ?? '' }),
    ...(!isSame('group') && { group: after.group ?? DEFAULT_GROUP }),
    ...(!isSame('tags') && { tags: after.tags ?? [] }),
    ...(!isSame('timeout') && { timeout: after.timeout ?? null }),
    ...(!isSame('place') && { place: after.place ?? LOCAL }),
    ...(!isSame('resources') && { resources: after.resources ?? null }),
    ...(after.env && { env: after.env }),
    ...(after.gpus !== undefined && { gpus: after.gpus }),
    ...(after.hold && { hold: true })
  };
}
