/** The REST calls (docs/rest.md): unknown JSON goes in, tasks or a TaskError come out. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { z } from 'zod';

import { noteServerTime } from './clock';
import {
  errorSchema,
  fieldsOf,
  outputSchema,
  pageSchema,
  readTasks,
  statsSchema,
  statusSchema,
  taskSchema,
  type IOutput,
  type IStats,
  type IStatus,
  type ITask,
  type ITaskChanges,
  type ITaskRequest,
  type IUnreadable
} from './types';

/** Where everything of ours lives below the server's base URL. */
export const NAMESPACE = 'ptytasks';

const PAGE = 500;

/** Fields of an answer that makes no sense which are named. */
const FIELDS = 3;

/**
 * What the server refused, or why it could not be asked. `status` is that of HTTP, 0 where there was no answer; `code`
 * stays the same between versions; `field` names the part of the request that is to blame.
 */
export class TaskError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly field?: string
  ) {
    super(message);
    this.name = 'TaskError';
  }

  /** Whether there is a server, and it knows nothing of tasks: the extension is switched off there. */
  get isDisabled(): boolean {
    return this.status === 404 && this.code === 'not_ours';
  }

  /** Whether the extension is there, and the server's settings forbid terminals. */
  get isForbidden(): boolean {
    return this.code === 'disabled';
  }

  /** Whether asking again is in vain until somebody has changed the server. */
  get isLasting(): boolean {
    return this.isDisabled || this.isForbidden;
  }
}

/** Requests that the user did not cause do not count as activity of the user. */
export interface IQuiet {
  quiet?: boolean;
}

/** Bytes of an output as they were written, the offset of the first of them, and where the output ends just now. */
export interface IPiece {
  data: Uint8Array;
  offset: number;
  end: number;
}

/** What the server lists: the tasks, and those that cannot be shown. */
export interface IListing {
  tasks: ITask[];
  unreadable: IUnreadable[];
}

/** The server's tasks, by REST. Every call rejects with a TaskError. */
export class TaskApi {
  constructor(readonly serverSettings: ServerConnection.ISettings) {}

  /** All tasks, newest first. */
  async list(options: IQuiet = {}): Promise<IListing> {
    const found: unknown[] = [];
    let omitted = 0;
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: Record<string, string> = { limit: `${PAGE}`, ...(cursor && { cursor }) };
      const page = await this._ask(pageSchema, 'tasks', { query, ...options });
      found.push(...page.tasks);
      omitted += page.omitted;
      cursor = page.next_cursor;
    }
    const { tasks, unreadable } = readTasks(found);
    const unknown = Array.from({ length: omitted }, () => ({ id: '', label: '', fields: [] }));
    return { tasks, unreadable: [...unreadable, ...unknown] };
  }

  /** How the server is doing. */
  status(options: IQuiet = {}): Promise<IStatus> {
    return this._ask(statusSchema, 'status', options);
  }

  /** One task, by id. */
  get(id: string, options: IQuiet = {}): Promise<ITask> {
    return this._ask(taskSchema, path(id), options);
  }

  /** Starts a task; or gives the one that `if_exists` asked for. */
  create(request: ITaskRequest): Promise<ITask> {
    return this._ask(taskSchema, 'tasks', { method: 'POST', body: request });
  }

  /** Changes what a task is called. */
  update(id: string, changes: ITaskChanges): Promise<ITask> {
    return this._ask(taskSchema, path(id), { method: 'PATCH', body: changes });
  }

  /** Begins to stop a task: with these signals, or with its own. */
  stop(id: string, signals?: string[]): Promise<ITask> {
    return this._do(id, 'stop', signals ? { signals } : {});
  }

  /** Ends the processes that a finished task has left running. */
  endLeftover(id: string): Promise<ITask> {
    return this._ask(taskSchema, `${path(id)}/leftover`, { method: 'DELETE' });
  }

  /** Stops the task's processes in their tracks. */
  pause(id: string): Promise<ITask> {
    return this._do(id, 'pause');
  }

  /** Lets a paused task go on. */
  resume(id: string): Promise<ITask> {
    return this._do(id, 'resume');
  }

  /** Runs a task once more; a live one is stopped first. */
  restart(id: string): Promise<ITask> {
    return this._do(id, 'restart');
  }

  /** Starts a new task like this one: the same command, environment, name, folder, group and tags. */
  again(id: string): Promise<ITask> {
    return this._do(id, 'again');
  }

  /** Forgets a task that has ended, and its output; with `stop` a live one is stopped first. */
  async remove(id: string, stop = false): Promise<void> {
    await this._request(path(id), { method: 'DELETE', query: stop ? { stop: '1' } : {} });
  }

  /** The last lines of a task's output, as plain text. */
  tail(id: string, lines: number, options: IQuiet = {}): Promise<IOutput> {
    const query = { mode: 'tail', tail_lines: `${lines}` };
    return this._ask(outputSchema, path(id, 'output'), { query, ...options });
  }

  /** At most `limit` bytes of a task's output, from the offset on, or from where it is still kept. */
  async raw(id: string, offset: number, limit: number, options: IQuiet = {}): Promise<IPiece> {
    const query = { offset: `${offset}`, limit: `${limit}` };
    const response = await this._fetch(path(id, 'output/raw'), { query, ...options });
    const told = (name: string) => Number(response.headers.get(`X-Ptytasks-${name}`) ?? NaN);
    const piece = { offset: told('Offset'), end: told('End') };
    if (Number.isNaN(piece.offset) || Number.isNaN(piece.end)) {
      throw new TaskError(
        'The server did not say which part of the output it returned.',
        200,
        'garbled'
      );
    }
    return { ...piece, data: new Uint8Array(await response.arrayBuffer()) };
  }

  /** How much of the machine a task has used lately. Being asked has the server measure more often for a while. */
  stats(id: string, options: IQuiet = {}): Promise<IStats> {
    return this._ask(statsSchema, path(id, 'stats'), options);
  }

  /** Where all that is kept of a task's output can be downloaded. */
  downloadUrl(id: string): string {
    const { baseUrl, token } = this.serverSettings;
    const query = { download: '1', ...(token && { token }) };
    return this._url(baseUrl, path(id, 'output/raw')) + URLExt.objectToQueryString(query);
  }

  private _do(id: string, verb: string, body: object = {}): Promise<ITask> {
    return this._ask(taskSchema, path(id, verb), { method: 'POST', body });
  }

  private _url(base: string, where: string): string {
    return URLExt.join(base, NAMESPACE, 'api', where);
  }

  private async _ask<T>(
    schema: z.ZodType<T, z.ZodTypeDef, unknown>,
    where: string,
    options: IOptions
  ): Promise<T> {
    const parsed = schema.safeParse(await this._request(where, options));
    if (!parsed.success) {
      const about = fieldsOf(parsed.error).slice(0, FIELDS).join(', ');
      const what = about ? `, for example: ${about}` : '';
      throw new TaskError(
        `The server’s response does not match this version of the extension${what}.`,
        200,
        'garbled'
      );
    }
    return parsed.data;
  }

  private async _request(where: string, options: IOptions): Promise<unknown> {
    const text = await (await this._fetch(where, options)).text();
    return text ? json(text) : undefined;
  }

  private async _fetch(where: string, options: IOptions): Promise<Response> {
    const query = { ...options.query, ...(options.quiet && { no_track_activity: '1' }) };
    const url = this._url(this.serverSettings.baseUrl, where) + URLExt.objectToQueryString(query);
    const init: RequestInit = { method: options.method ?? 'GET' };
    if (options.body !== undefined) {
      init.body = JSON.stringify(options.body);
    }
    const sent = Date.now();
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.serverSettings);
    } catch (error) {
      throw new TaskError(`${error instanceof Error ? error.message : error}`, 0, 'unreachable');
    }
    noteServerTime(response.headers.get('Date'), sent, Date.now());
    if (response.ok) {
      return response;
    }
    const told = errorSchema.safeParse(json(await response.text()));
    if (told.success) {
      throw new TaskError(told.data.message, response.status, told.data.code, told.data.field);
    }
    throw new TaskError(
      response.statusText || `HTTP ${response.status}`,
      response.status,
      'not_ours'
    );
  }
}

interface IOptions extends IQuiet {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: Record<string, string>;
  body?: unknown;
}

function path(id: string, verb = ''): string {
  return URLExt.join('tasks', encodeURIComponent(id), verb);
}

/** The value of a JSON text; undefined for what is none. The numbers that JSON does not know become null. */
function json(text: string): unknown {
  for (const candidate of [
    text,
    text.replace(NO_NUMBER, found => (found[0] === '"' ? found : 'null'))
  ]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // An older server may have written what Python's json does by default.
    }
  }
  return undefined;
}

/** Strings, which stay; and what Python writes for numbers that are none. */
const NO_NUMBER = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
