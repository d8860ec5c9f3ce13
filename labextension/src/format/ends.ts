/** Formats how a task ended, in one line that helps. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITask } from '../services/types';
import { duration, elapsed, exitLabel } from './times';
import { reasonOf } from './why';

type Ended = Pick<ITask, 'state' | 'state_message' | 'exit' | 'started' | 'ended' | 'timeout'>;

/** Return how a task ended: `exit 1 · ValueError: …`, `after 3s (limit 3s)`; empty if it has not, or successfully. */
export function endLabel(task: Ended, trans: TranslationBundle): string {
  if (task.state === 'timed_out') {
    return timeLabel(task, trans);
  }
  const exit = task.exit?.code === 0 ? '' : exitLabel(task, trans);
  return [exit, reasonOf(task)].filter(Boolean).join(' · ');
}

/** Return after which time a task was stopped for that: `after 3s (limit 3s)`. */
export function timeLabel(task: Ended, trans: TranslationBundle): string {
  const took = duration(elapsed(task, 0));
  return task.timeout === null
    ? trans.__('after %1', took)
    : trans.__('after %1 (limit %2)', took, duration(task.timeout * 1000));
}
