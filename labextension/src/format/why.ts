/** Formats why a task ended. Pure. */

import { isEnded } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

/** Messages that say no more than the exit code or signal; the second is from older servers. */
const ENDED = /^(exited with code -?\d+|killed by SIG\w+)?$/;

/** Return the message of an ended task; empty if it says no more than its exit code or signal. */
export function reasonOf(task: Pick<ITask, 'state' | 'state_message'>): string {
  return isEnded(task) && !ENDED.test(task.state_message) ? task.state_message : '';
}

/** Return whether there may be a line of the output with the error. */
export function isExplained(task: Pick<ITask, 'state' | 'state_message'>): boolean {
  return task.state === 'failed' && reasonOf(task) !== '';
}
