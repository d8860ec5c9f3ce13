/** Applies an action to several tasks. */

import type { ITask } from '../services/types/tasks';

/** Run `act` on every task, even if some fail. Afterwards throw the error messages, without duplicates. */
export async function each(
  tasks: readonly ITask[],
  act: (task: ITask) => Promise<unknown>
): Promise<void> {
  const results = await Promise.allSettled(tasks.map(act));
  const failures = results.flatMap(result =>
    result.status === 'rejected' ? [`${(result.reason as Error).message}`] : []
  );
  if (failures.length > 0) {
    throw new Error([...new Set(failures)].join('\n'));
  }
}
