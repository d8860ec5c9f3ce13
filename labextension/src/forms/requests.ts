/** Turns the values of the New Task dialog into task requests, and back. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { LOCAL, type IPlace } from '../services/types/places';
import { WHEN, type ITaskRequest, type When } from '../services/types/requests';
import { lineOf } from './shells';
import { AT_ONCE, chosenGroup, refusal, startOf, withStart, type IStart } from './start';
import { parseTags } from './tags';
import { hasQueue, whereOf, withWhere, type IWhere } from './where';

/** The values of the dialog's fields, as typed. */
export interface IForm extends IStart, IWhere {
  command: string;
  name: string;
  cwd: string;
  env: string;
  group: string;
  tags: string;
  timeout: string;
  /** The tasks that must have ended, as names or ids. */
  after: string;
  /** A local time without an offset. */
  not_before: string;
  retry: string;
  if_exists: NonNullable<ITaskRequest['if_exists']>;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
  w: 604800
};

/** Return the dialog's values for a request. `queues` are the groups whose tasks wait for their turns. */
export function formOf(known: ITaskRequest = {}, queues: readonly string[] = []): IForm {
  const { command = '', env = {} } = known;
  const start = startOf(known, queues);
  return {
    ...start,
    ...whereOf(known),
    command: typeof command === 'string' ? command : lineOf(command),
    name: known.name ?? '',
    cwd: known.cwd ?? '',
    env: Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    group: chosenGroup(start.start) === null ? (known.group ?? '') : '',
    tags: (known.tags ?? []).join(', '),
    timeout: known.timeout === undefined ? '' : durationText(known.timeout),
    after: (known.after ?? [])
      .map(one => (typeof one === 'string' ? one : `${one.ref}:${one.when}`))
      .join(', '),
    not_before: known.not_before === undefined ? '' : localTime(known.not_before),
    retry: known.retry ? `${known.retry.max}` : '',
    if_exists: known.if_exists ?? 'new'
  };
}

/** Return the request for the dialog's values. Throws a TaskError with the invalid field, as the server would. */
export function requestOf(
  form: IForm,
  trans: TranslationBundle,
  places: readonly IPlace[] = []
): ITaskRequest {
  const command = form.command.trim();
  if (!command) {
    throw refusal('command', trans.__('Enter a command to run.'));
  }
  const request: ITaskRequest = { command, if_exists: form.if_exists };
  const env = parseEnvironment(form.env, trans);
  const tags = parseTags(form.tags);
  const limit = form.timeout.trim();
  for (const field of ['name', 'cwd', 'group'] as const) {
    const text = form[field].trim();
    if (text) {
      request[field] = text;
    }
  }
  if (Object.keys(env).length > 0) {
    request.env = env;
  }
  if (tags.length > 0) {
    request.tags = tags;
  }
  if (limit) {
    const seconds = parseDuration(limit);
    if (!seconds) {
      throw refusal('timeout', trans.__('Enter a time limit such as 90, 30m or 1h30m.'));
    }
    request.timeout = seconds;
  }
  const complete = withWhere({ ...request, ...waiting(form, trans) }, form, places);
  return withStart(complete, startAt(form, places), trans);
}

/** Return when a task starts: immediately at places without a queue. The GPUs are those of the server's machine. */
export function startAt(form: IStart & IWhere, places: readonly IPlace[]): IStart {
  const start = hasQueue(form.place, places) ? form : AT_ONCE;
  return form.place === LOCAL ? start : { ...start, gpus: '' };
}

/** Return what the task waits for besides its turn, and its retries. */
function waiting(form: IForm, trans: TranslationBundle): ITaskRequest {
  const after = parseAfter(form.after);
  const moment = form.not_before && Date.parse(form.not_before);
  const retry = form.retry.trim();
  if (Number.isNaN(moment)) {
    throw refusal('not_before', trans.__('Enter a date and a time.'));
  }
  if (retry && !/^\d+$/.test(retry)) {
    throw refusal('retry', trans.__('Enter a number.'));
  }
  return {
    ...(after.length > 0 && { after }),
    ...(moment && { not_before: new Date(moment).toISOString() }),
    ...(Number(retry) > 0 && { retry: { max: Number(retry) } })
  };
}

/** Return the tasks of a comma-separated list of `task` and `task:any`. */
export function parseAfter(text: string): NonNullable<ITaskRequest['after']> {
  return parseTags(text).map(item => {
    const [, ref = item, when] = /^(.+):(\w+)$/.exec(item) ?? [];
    return isWhen(when) ? { ref: ref.trim(), when } : item;
  });
}

function isWhen(text: string | undefined): text is When {
  return (WHEN as readonly (string | undefined)[]).includes(text);
}

/** Return a time in the format of the browser's fields for a local time; empty if it is invalid. */
function localTime(moment: string): string {
  const time = new Date(moment);
  const offset = time.getTimezoneOffset() * 60_000;
  return Number.isNaN(time.getTime())
    ? ''
    : new Date(time.getTime() - offset).toISOString().slice(0, 16);
}

/** Return the variables of `NAME=value` lines. Blank lines and lines that begin with `#` are ignored. */
export function parseEnvironment(text: string, trans: TranslationBundle): Record<string, string> {
  const env: Record<string, string> = {};
  text.split(/\r?\n/).forEach((line, index) => {
    if (!line.trim() || line.trimStart().startsWith('#')) {
      return;
    }
    const [, name, value] = /^\s*([^=\s]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      throw refusal('env', trans.__('Line %1 does not have the form NAME=value.', index + 1));
    }
    env[name] = value;
  });
  return env;
}

const PART = /(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*/g;

/** Return the seconds of `90`, `30m`, `1h30m`, `2d 4h` or `500ms`; null if the text is not a duration. */
export function parseDuration(text: string): number | null {
  const wanted = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(wanted)) {
    return Number(wanted);
  }
  if (!wanted || wanted.replace(PART, '')) {
    return null;
  }
  const parts = [...wanted.matchAll(PART)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
}

/** Return a duration as text that parseDuration reads. */
export function durationText(seconds: number): string {
  let rest = seconds;
  let text = '';
  for (const unit of ['d', 'h', 'm']) {
    const count = Math.floor(rest / UNITS[unit]);
    rest -= count * UNITS[unit];
    text += count > 0 ? `${count}${unit}` : '';
  }
  return rest > 0 || !text ? `${text}${rest}s` : text;
}
