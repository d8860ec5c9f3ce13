/** When a new task starts, as people choose it: now, in its turn in a group, or when it is released. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { TaskError } from '../services/api';
import type { ITaskRequest } from '../services/types';

/** The values of the fields, as chosen and typed. */
export interface IStart {
  /** NOW, HELD, NEW, or the value of `inGroup`. */
  start: string;
  /** The name of the new group, and its slots. */
  newGroup: string;
  slots: string;
}

/** A group that is to be configured before the task is created. */
export interface INewGroup {
  name: string;
  slots: number;
}

export const NOW = 'now';
export const HELD = 'held';
export const NEW = 'new';

const IN = 'in:';

export const AT_ONCE: IStart = { start: NOW, newGroup: '', slots: '1' };

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
  const { group = '', hold = false } = request;
  return { ...AT_ONCE, start: queues.includes(group) ? inGroup(group) : hold ? HELD : NOW };
}

/** Return the request with its group. Throws a TaskError with the invalid field. */
export function withStart(
  request: ITaskRequest,
  form: IStart,
  trans: TranslationBundle
): ITaskRequest {
  if (form.start === HELD) {
    return { ...request, hold: true };
  }
  const name = newGroupOf(form, trans)?.name ?? chosenGroup(form.start);
  return name === null ? request : { ...request, group: name };
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
    throw refusal('slots', trans.__('Enter how many of its tasks run at a time.'));
  }
  return { name, slots: Number(slots) };
}

/** Return the error for an invalid field, as the server would. */
export function refusal(field: string, message: string): TaskError {
  return new TaskError(message, 400, 'bad_request', field);
}
