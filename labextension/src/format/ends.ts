/** Formats how a task ended, in one line. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITask } from '../services/types/tasks';
import { exitLabel } from './times';
import { reasonOf } from './why';

type Ended = Pick<ITask, 'state' | 'state_message' | 'exit' | 'started' | 'ended' | 'timeout'>;

/** Return how a task ended: `exit 1 · ValueError: …`, `after 3s, limit 3s`; empty if it has not, or successfully. */
export function endLabel(task: Ended, trans: TranslationBundle): string {
  const exit = task.exit?.code === 0 ? '' : exitLabel(task, trans);
  const reason = task.state === 'timed_out' && exit ? '' : reasonOf(task);
  return [exit, reason].filter(Boolean).join(' · ');
}
