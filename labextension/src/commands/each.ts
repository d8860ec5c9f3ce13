/** The same for several tasks. */

import type { ITask } from '../services/types';

/** Does it with each task, whatever becomes of the others; then throws what went wrong, each thing once. */
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
