/** The states of a task. */

/** The states of a task, in their usual order. */
export const STATES = [
  'held',
  'queued',
  'starting',
  'running',
  'paused',
  'stopping',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'lost'
] as const;

export type State = (typeof STATES)[number];

interface IStated {
  readonly state: State;
}

const PENDING: ReadonlySet<State> = new Set(['held', 'queued']);
const ACTIVE: ReadonlySet<State> = new Set(['starting', 'running', 'paused', 'stopping']);

/** Return whether a task waits to be started. */
export function isPending(task: IStated): boolean {
  return PENDING.has(task.state);
}

/** Return whether a task has processes, or is about to. */
export function isActive(task: IStated): boolean {
  return ACTIVE.has(task.state);
}

/** Return whether a task has ended, successfully or not. */
export function isEnded(task: IStated): boolean {
  return !isPending(task) && !isActive(task);
}

/** Return whether a task has ended, neither successfully nor because it was stopped. */
export function wentWrong(task: IStated): boolean {
  return isEnded(task) && task.state !== 'succeeded' && task.state !== 'cancelled';
}
