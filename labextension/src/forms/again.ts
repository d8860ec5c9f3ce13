/** What is different in a task like another one: the dialog's values before and after they were edited. Pure. */

import type { IAgain, ITaskRequest } from '../services/types/requests';
import type { ITask } from '../services/types/tasks';
import { DEFAULT_GROUP } from '../services/types/groups';
import { LOCAL } from '../services/types/places';
import { formOf, type IForm } from './requests';

/** Return the dialog's values for a task. The variables that it was given stay on the server. */
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

/** Return what differs between the requests for the values before and after. Variables are only given where they change. */
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
