/** Formats where tasks run, and why they wait there. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { LOCAL, type IPlace } from '../services/types/places';
import { isActive, isPending } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

/** Return the name of a place for display: of `ssh:gpu1` the host. */
export function placeName(name: string, trans: TranslationBundle): string {
  return name === LOCAL ? trans.__('This server') : name.replace(/^ssh:/, '');
}

/** Return a hint about a place for choosing it: that it needs a login, or cannot be reached. */
export function placeState(place: IPlace, trans: TranslationBundle): string {
  if (place.login) {
    return trans.__('needs a login');
  }
  return place.reachable === false ? trans.__('not reachable') : '';
}

/** Return what to do about a place, or why it cannot be reached; empty if there is no known problem. */
export function placeAdvice(place: IPlace, trans: TranslationBundle): string {
  if (place.login) {
    return trans.__('It needs a login: run `%1` in a terminal.', place.login);
  }
  return place.problem ?? '';
}

/** Return why a task at another place waits there, and when it is expected to start: `waits for resources, ~14:20`. */
export function remoteWait(task: ITask, now: number, trans: TranslationBundle): string {
  if (task.place === LOCAL || !isPending(task)) {
    return '';
  }
  const why = task.state_message || task.job?.reason || '';
  const starts = new Date(task.job?.starts ?? NaN);
  if (!(starts.getTime() > now)) {
    return why;
  }
  const text = clock(starts, new Date(now));
  return why ? trans.__('%1, ~%2', why, text) : trans.__('starts ~%1', text);
}

/** Return a time, with its day unless that is today, and the year unless that is this year. */
function clock(time: Date, now: Date): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };
  if (time.toDateString() === now.toDateString()) {
    return time.toLocaleTimeString([], options);
  }
  const isThisYear = time.getFullYear() === now.getFullYear();
  const day: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric' };
  return time.toLocaleString([], { ...options, ...day, ...(!isThisYear && { year: 'numeric' }) });
}

/** Return why there is no news about a task at another place: `Not connected: gpu1 is not reachable`; else empty. */
export function outOfReach(task: ITask, trans: TranslationBundle): string {
  const isCut = isActive(task) && task.state !== 'starting' && !task.connected;
  return isCut && task.place !== LOCAL && task.state_message
    ? trans.__('Not connected: %1', task.state_message)
    : '';
}
