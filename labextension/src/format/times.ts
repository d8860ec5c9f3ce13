/** Formats times, states and exit codes. Pure: the current time is an argument. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { isEnded, isPending, type State } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

/** Return a duration given in milliseconds: `7s`, `3m 07s`, `2h 05m`, `3d 04h`; empty if it is not finite. */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) {
    return '';
  }
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const two = (value: number) => `${value}`.padStart(2, '0');
  if (days > 0) {
    return `${days}d ${two(hours % 24)}h`;
  }
  if (hours > 0) {
    return `${hours}h ${two(minutes % 60)}m`;
  }
  return minutes > 0 ? `${minutes}m ${two(seconds % 60)}s` : `${seconds}s`;
}

/** Return the run time of a task in milliseconds; 0 if it never started. */
export function elapsed(task: Pick<ITask, 'started' | 'ended'>, now: number): number {
  if (!task.started) {
    return 0;
  }
  return (task.ended ? Date.parse(task.ended) : now) - Date.parse(task.started);
}

/** Return how long a task has been running, or how long ago it ended. */
export function when(task: ITask, now: number, trans: TranslationBundle): string {
  if (isPending(task)) {
    return '';
  }
  if (!isEnded(task)) {
    return duration(elapsed(task, now));
  }
  const ago = now - Date.parse(task.ended ?? task.created);
  return ago < 5000 ? trans.__('just now') : trans.__('%1 ago', duration(ago));
}

/** Return the label of a state. */
export function stateLabel(state: State, trans: TranslationBundle): string {
  switch (state) {
    case 'held':
      return trans.__('Held');
    case 'queued':
      return trans.__('Queued');
    case 'starting':
      return trans.__('Starting');
    case 'running':
      return trans.__('Running');
    case 'paused':
      return trans.__('Paused');
    case 'stopping':
      return trans.__('Stopping');
    case 'succeeded':
      return trans.__('Succeeded');
    case 'failed':
      return trans.__('Failed');
    case 'cancelled':
      return trans.__('Canceled');
    case 'timed_out':
      return trans.__('Timed out');
    case 'lost':
      return trans.__('Lost');
  }
}

/** Return how a task ended: `exit 3`, `SIGKILL`, `after 3s, limit 3s`; empty if it has not, or if it is unknown. */
export function exitLabel(
  task: Pick<ITask, 'exit' | 'state' | 'started' | 'ended' | 'timeout'>,
  trans: TranslationBundle
): string {
  if (!task.exit) {
    return '';
  }
  // The signal that stopped it then says nothing.
  if (task.state === 'timed_out' && task.started && task.ended) {
    const took = duration(elapsed(task, 0));
    return task.timeout === null
      ? trans.__('after %1', took)
      : trans.__('after %1, limit %2', took, duration(task.timeout * 1000));
  }
  if (task.exit.signal) {
    return task.exit.signal;
  }
  return task.exit.code === null ? '' : trans.__('exit %1', task.exit.code);
}
