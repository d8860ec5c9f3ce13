/** Formats what is known about groups and waiting tasks. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { IStanding } from '../services/queue';
import type { ISweepStanding } from '../services/sweeps';
import type { ITask } from '../services/types/tasks';
import { remoteWait } from './places';
import { duration } from './times';

/** Return the progress of a group: `2 of 4 running · 37 queued · 3h 10m left`. */
export function standingLabel(standing: IStanding, now: number, trans: TranslationBundle): string {
  const { group, pending, running } = standing;
  const parts: string[] = [];
  if (group.paused) {
    parts.push(group.reason ? trans.__('Paused: %1', group.reason) : trans.__('Paused'));
  }
  if (!group.paused || running > 0) {
    parts.push(runningLabel(standing, trans));
  }
  if (pending > 0) {
    parts.push(trans.__('%1 queued', pending));
  }
  const left = group.ends === null ? NaN : Date.parse(group.ends) - now;
  if (left > 0) {
    parts.push(trans.__('%1 left', duration(left)));
  }
  return parts.join(' · ');
}

function runningLabel(standing: IStanding, trans: TranslationBundle): string {
  const { group, running, used, pending, total } = standing;
  if (group.slots === null) {
    return running + pending > 0
      ? trans.__('%1 running', running)
      : trans._n('%1 task', '%1 tasks', total);
  }
  return used === running
    ? trans.__('%1 of %2 running', running, group.slots)
    : trans.__('%1 of %2 slots used', used, group.slots);
}

/** Return the position of a pending task in its group: `#3`; empty if it waits for something else. */
export function placeLabel(task: ITask, trans: TranslationBundle): string {
  return task.queue?.position ? trans.__('#%1', task.queue.position) : '';
}

/** Return why a pending task is not running, and how long it is expected to wait. */
export function waitLabel(task: ITask, now: number, trans: TranslationBundle): string {
  const there = remoteWait(task, now, trans);
  if (there || !task.queue) {
    return there;
  }
  const { text, starts } = task.queue;
  const left = starts === null ? NaN : Date.parse(starts) - now;
  return left > 0 ? trans.__('%1 · starts in %2', text, duration(left)) : text;
}

/** Return the progress of a sweep: `5 of 10 done · 1 failed · 2 running · 3 queued`. */
export function sweepLabel(standing: ISweepStanding, trans: TranslationBundle): string {
  const { total, ended, failed, running, pending, held } = standing;
  const parts = [trans.__('%1 of %2 done', ended, total)];
  if (failed > 0) {
    parts.push(trans.__('%1 failed', failed));
  }
  if (running > 0) {
    parts.push(trans.__('%1 running', running));
  }
  if (pending > held) {
    parts.push(trans.__('%1 queued', pending - held));
  }
  if (held > 0) {
    parts.push(trans.__('%1 held', held));
  }
  return parts.join(' · ');
}

/** Return the parameters of a task: `lr=1e-3 · seed=0`; empty if it has none. */
export function paramsLabel(task: ITask): string {
  return Object.entries(task.params)
    .map(([name, value]) => `${name}=${value}`)
    .join(' · ');
}
