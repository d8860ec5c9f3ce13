/** The choice of when a new task starts: now, in the queue of a group, or when it is released. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { TaskError } from '../services/api';
import type { ITaskRequest } from '../services/types/requests';

/** The values of the fields, as chosen and typed. */
export interface IStart {
  /** NOW, HELD, NEW, or the value of `inGroup`. */
  start: string;
  /** The name of the new group, and its slots. */
  newGroup: string;
  slots: string;
  /** The GPUs of the task; empty for the default of its group. */
  gpus: string;
}

/** A group to configure before the task is created. */
export interface INewGroup {
  name: string;
  slots: number;
}

export const NOW = 'now';
export const HELD = 'held';
export const NEW = 'new';

const IN = 'in:';

export const AT_ONCE: IStart = { start: NOW, newGroup: '', slots: '1', gpus: '' };

/** Return the choice of an existing group. */
export function inGroup(name: string): string {
  return `${IN}${name}`;
}

/** Return the group that was chosen; null if it was another choice. */
export function chosenGroup(start: string): string | null {
  return start.startsWith(IN) ? start.slice(IN.length) : null;
}

/** Return the values for a request. `queues` are the groups whose tasks wait for their turns. */
export function startOf(request: ITaskRequest, queues: readonly string[]): IStart {
  const { group = '', hold = false, gpus } = request;
  return {
    ...AT_ONCE,
    start: queues.includes(group) ? inGroup(group) : hold ? HELD : NOW,
    gpus: gpus === undefined ? '' : `${gpus}`
  };
}

/** Return the request with its group and GPUs. Throws a TaskError with the invalid field. */
export function withStart(
  request: ITaskRequest,
  form: IStart,
  trans: TranslationBundle
): ITaskRequest {
  const gpus = form.gpus.trim();
  if (gpus && !isGpus(Number(gpus))) {
    throw refusal('gpus', trans.__('Enter a whole number, or a share of a GPU such as 0.5.'));
  }
  const complete = gpus ? { ...request, gpus: Number(gpus) } : request;
  if (form.start === HELD) {
    return { ...complete, hold: true };
  }
  const name = newGroupOf(form, trans)?.name ?? chosenGroup(form.start);
  return name === null ? complete : { ...complete, group: name };
}

/** Return whether a number of GPUs is valid: none, a share of one, or whole ones. */
function isGpus(count: number): boolean {
  return count === 0 || (count >= 0.01 && count < 1) || (Number.isInteger(count) && count > 0);
}

/** Return the new group; null if none was chosen. Throws a TaskError with the invalid field. */
export function newGroupOf(form: IStart, trans: TranslationBundle): INewGroup | null {
  if (form.start !== NEW) {
    return null;
  }
  const name = form.newGroup.trim();
  if (!name) {
    throw refusal('newGroup', trans.__('Enter a name for the new group.'));
  }
  const slots = form.slots.trim();
  if (!/^\d+$/.test(slots) || Number(slots) < 1) {
    throw refusal('slots', trans.__('Enter how many of its tasks may run at a time.'));
  }
  return { name, slots: Number(slots) };
}

/** Return the error for an invalid field, as the server would. */
export function refusal(field: string, message: string): TaskError {
  return new TaskError(message, 400, 'bad_request', field);
}
