/** The REST calls (docs/rest.md). */

import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import { patched, type IListing } from './listing';
import { RestClient, TaskError, type IOptions, type IQuiet } from './rest';
import { groupSchema, groupsSchema, type IGroup } from './types/groups';
import { changesSchema, pageSchema, readTasks, type IPage, type IUnreadable } from './types/lists';
import { curvesSchema, statsSchema, type ICurves, type IStats } from './types/measured';
import {
  outputSchema,
  replaySchema,
  whySchema,
  type IOutput,
  type IReplay,
  type IWhy
} from './types/output';
import { placeOptionsSchema, placesSchema, type IPlace, type IPlaceOptions } from './types/places';
import type {
  IAgain,
  IAnswer,
  IGroupChanges,
  IManyChanges,
  IPlacing,
  ITaskChanges,
  ITaskRequest
} from './types/requests';
import { statusSchema, type IStatus } from './types/service';
import { taskSchema, type ITask } from './types/tasks';

export { TaskError };

const PAGE = 500;

/** A piece of raw output: the bytes, the offset of the first one, and the current end of the output. */
export interface IPiece {
  data: Uint8Array;
  offset: number;
  end: number;
}

/** The REST calls about tasks. All of them reject with a TaskError. */
export class TaskApi {
  constructor(readonly serverSettings: ServerConnection.ISettings) {
    this._rest = new RestClient(serverSettings);
  }

  /** Return all tasks, newest first. */
  async list(options: IQuiet = {}): Promise<IListing> {
    const tasks: ITask[] = [];
    const unreadable: IUnreadable[] = [];
    let revision: string | null = null;
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: Record<string, string> = { limit: `${PAGE}`, ...(cursor && { cursor }) };
      const page = await this.page(query, options);
      // Validate page by page: thousands of tasks at once would block the page.
      const found = readTasks(page.tasks);
      tasks.push(...found.tasks);
      const unknown = Array.from({ length: page.omitted }, () => ({
        id: '',
        label: '',
        fields: []
      }));
      unreadable.push(...found.unreadable, ...unknown);
      // Changes during the later requests are reported by `changes`.
      revision ??= page.revision;
      cursor = page.next_cursor;
    }
    return { tasks, unreadable, revision };
  }

  /** Return a page of tasks, by the parameters of `GET /tasks`. `readTasks` validates them. */
  page(query: Record<string, string>, options: IQuiet = {}): Promise<IPage> {
    return this._rest.ask(pageSchema, 'tasks', { query, ...options });
  }

  /**
   * Return a function that updates a list of this revision; null if the server does not know the revision. With `active`, all
   * active tasks are updated: the times and sizes of their outputs change without a new revision.
   */
  async changes(
    revision: string,
    active: boolean,
    options: IQuiet = {}
  ): Promise<((list: IListing) => IListing) | null> {
    const query = { since: revision, ...(active && { active: '1' }) };
    const found = await this._rest.ask(changesSchema, 'changes', { query, ...options });
    const { tasks, unreadable } = readTasks(found.tasks);
    if (!found.complete || unreadable.some(({ id }) => !id)) {
      return null;
    }
    return list => patched(list, { ...found, tasks, unreadable });
  }

  /** Return the status of the server. */
  status(options: IQuiet = {}): Promise<IStatus> {
    return this._rest.ask(statusSchema, 'status', options);
  }

  /** Return one task. */
  get(id: string, options: IQuiet = {}): Promise<ITask> {
    return this._rest.ask(taskSchema, path(id), options);
  }

  /** Return where tasks can run. */
  async places(options: IQuiet = {}): Promise<IPlace[]> {
    return (await this._rest.ask(placesSchema, 'places', options)).places;
  }

  /** Return the partitions, accounts and QoS that tasks can choose at a place. May take seconds. */
  placeOptions(name: string): Promise<IPlaceOptions> {
    const where = URLExt.join('places', encodeURIComponent(name), 'options');
    return this._rest.ask(placeOptionsSchema, where, {});
  }

  /** Start a task, or return the one that `if_exists` selects. */
  create(request: ITaskRequest): Promise<ITask> {
    return this._rest.ask(taskSchema, 'tasks', { method: 'POST', body: request });
  }

  /** Change the name, tags or group of a task. */
  update(id: string, changes: ITaskChanges): Promise<ITask> {
    return this._rest.ask(taskSchema, path(id), { method: 'PATCH', body: changes });
  }

  /** Change the tags of many tasks, or pin them: all or none. Missing ones are left out. */
  async updateAll(ids: readonly string[], changes: IManyChanges): Promise<void> {
    await this._rest.request('tasks', { method: 'PATCH', body: { tasks: ids, ...changes } });
  }

  /** Start stopping a task, with the given signals or with its own stop sequence. */
  stop(id: string, signals?: string[]): Promise<ITask> {
    return this._do(id, 'stop', signals ? { signals } : {});
  }

  /** End the processes that a finished task left running. */
  endLeftover(id: string): Promise<ITask> {
    return this._rest.ask(taskSchema, `${path(id)}/leftover`, { method: 'DELETE' });
  }

  /** Hold a queued task until it is released. */
  hold(id: string): Promise<ITask> {
    return this._do(id, 'hold');
  }

  /** Release a held task. */
  release(id: string): Promise<ITask> {
    return this._do(id, 'start');
  }

  /** Move a pending task within its group, or to another one. */
  move(id: string, where: IPlacing): Promise<ITask> {
    return this._do(id, 'move', where);
  }

  /** Return the groups that are configured or in use. */
  async groups(options: IQuiet = {}): Promise<IGroup[]> {
    return (await this._rest.ask(groupsSchema, 'groups', options)).groups;
  }

  /** Configure a group, which is created with one slot if it does not exist. */
  setGroup(name: string, changes: IGroupChanges): Promise<IGroup> {
    return this._rest.ask(groupSchema, group(name), { method: 'PUT', body: changes });
  }

  /** Start no more tasks of a group; with `tasks` also suspend running ones. */
  pauseGroup(name: string, tasks = false): Promise<IGroup> {
    return this._rest.ask(groupSchema, group(name, 'pause'), { method: 'POST', body: { tasks } });
  }

  /** Start tasks of a group again; with `tasks` also resume paused ones. */
  resumeGroup(name: string, tasks = false): Promise<IGroup> {
    return this._rest.ask(groupSchema, group(name, 'resume'), { method: 'POST', body: { tasks } });
  }

  /** Delete the configuration of a group; its tasks are no longer limited. */
  async deleteGroup(name: string): Promise<void> {
    await this._rest.request(group(name), { method: 'DELETE' });
  }

  /** Rerun all tasks of a group that failed, timed out or were lost. */
  async retryGroup(name: string): Promise<void> {
    await this._rest.request(group(name, 'retry'), { method: 'POST', body: {} });
  }

  /** Run again, release or cancel the tasks of a sweep: those that failed, are held, or have not ended. */
  async changeSweep(id: string, verb: 'retry' | 'start' | 'cancel'): Promise<void> {
    await this._rest.request(sweep(id, verb), { method: 'POST', body: {} });
  }

  /** Delete the tasks of a sweep and their output; with `stop` it is canceled first if it has not ended. */
  async deleteSweep(id: string, stop = false): Promise<void> {
    await this._rest.request(sweep(id), { method: 'DELETE', query: stop ? { stop: '1' } : {} });
  }

  /**
   * Type an answer if the program waits for input. A secret is only typed if it asks for a password: otherwise the terminal
   * would show it. Rejects with `not_waiting` if nothing was typed.
   */
  async answer(id: string, answer: IAnswer): Promise<void> {
    const body = { only_if: answer.secret ? 'password' : 'waiting', ...answer };
    await this._rest.request(path(id, 'input'), { method: 'POST', body });
  }

  /** Suspend the processes of a task. */
  pause(id: string): Promise<ITask> {
    return this._do(id, 'pause');
  }

  /** Resume a paused task. */
  resume(id: string): Promise<ITask> {
    return this._do(id, 'resume');
  }

  /** Run a task again; a running one is stopped first. */
  restart(id: string): Promise<ITask> {
    return this._do(id, 'restart');
  }

  /** Start a new task like this one, with the given changes. */
  again(id: string, changes: IAgain = {}): Promise<ITask> {
    return this._do(id, 'again', changes);
  }

  /** Request something about a task. The response is read by a module that is loaded on demand. */
  about(id: string, verb: string, options: IOptions = {}): Promise<Response> {
    return this._rest.fetch(path(id, verb), options);
  }

  /** Preview a cleanup, or clean up. The response is read by a module that is loaded on demand. */
  cleanUp(options: IOptions): Promise<Response> {
    return this._rest.fetch('cleanup', options);
  }

  /** Search the output of tasks, by the parameters of `GET /search`. The response streams lines of JSON; `signal` aborts it. */
  search(query: Record<string, string>, signal: AbortSignal): Promise<Response> {
    return this._rest.fetch('search', { query, signal });
  }

  /** Delete a task and its output; with `stop` a running one is stopped first. */
  async delete(id: string, stop = false): Promise<void> {
    await this._rest.request(path(id), { method: 'DELETE', query: stop ? { stop: '1' } : {} });
  }

  /** Return the last lines of a task's output as plain text. */
  tail(id: string, lines: number, options: IQuiet = {}): Promise<IOutput> {
    const query = { mode: 'tail', tail_lines: `${lines}` };
    return this._rest.ask(outputSchema, path(id, 'output'), { query, ...options });
  }

  /** Return lines of a task's output with their numbers and times; `query` as in docs/rest.md. */
  lines(id: string, query: Record<string, string>): Promise<IOutput> {
    return this._rest.ask(outputSchema, path(id, 'output'), { query: { times: '1', ...query } });
  }

  /** Return the data that draws the screen of a task at a time, by default the current or final one. */
  replay(id: string, time?: Date): Promise<IReplay> {
    const query: Record<string, string> = time ? { time: time.toISOString() } : {};
    return this._rest.ask(replaySchema, path(id, 'replay'), { query });
  }

  /** Return why a task failed. */
  why(id: string, options: IQuiet = {}): Promise<IWhy> {
    return this._rest.ask(whySchema, path(id, 'why'), options);
  }

  /** Return up to `limit` bytes of raw output from `offset` on, or from the oldest byte that is still stored. */
  async raw(id: string, offset: number, limit: number, options: IQuiet = {}): Promise<IPiece> {
    const query = { offset: `${offset}`, limit: `${limit}` };
    const response = await this._rest.fetch(path(id, 'output/raw'), { query, ...options });
    const header = (name: string) => Number(response.headers.get(`X-Ptytasks-${name}`) ?? NaN);
    const piece = { offset: header('Offset'), end: header('End') };
    if (Number.isNaN(piece.offset) || Number.isNaN(piece.end)) {
      throw new TaskError(
        'The server did not say which part of the output it returned.',
        200,
        'garbled'
      );
    }
    return { ...piece, data: new Uint8Array(await response.arrayBuffer()) };
  }

  /** Return the recent resource usage of a task. The request makes the server sample more often for a while. */
  stats(id: string, options: IQuiet = {}): Promise<IStats> {
    return this._rest.ask(statsSchema, path(id, 'stats'), options);
  }

  /** Return the metrics of a task with at most `points` points each, only those after `since` (Unix seconds) if given. */
  metrics(
    id: string,
    points: number,
    since: number | null,
    options: IQuiet = {}
  ): Promise<ICurves> {
    const query = { points: `${points}`, x: 'time', ...(since !== null && { since: `${since}` }) };
    return this._rest.ask(curvesSchema, path(id, 'metrics'), { query, ...options });
  }

  /** Return the download URL of a task's stored output. */
  downloadUrl(id: string): string {
    return this._rest.downloadUrl(path(id, 'output/raw'));
  }

  /** Return the download URL of a recording of a task's output (asciicast). */
  recordingUrl(id: string): string {
    return this._rest.downloadUrl(path(id, 'record'));
  }

  /** Return the download URL of an export of a finished task. */
  exportUrl(id: string): string {
    return this._rest.downloadUrl(path(id, 'export'));
  }

  /** Import a task from an export. */
  import(file: Blob): Promise<ITask> {
    const headers = { 'Content-Type': 'application/gzip' };
    return this._rest.ask(taskSchema, 'import', { method: 'POST', headers, body: file });
  }

  private _do(id: string, verb: string, body: object = {}): Promise<ITask> {
    return this._rest.ask(taskSchema, path(id, verb), { method: 'POST', body });
  }

  private readonly _rest: RestClient;
}

function path(id: string, verb = ''): string {
  return URLExt.join('tasks', encodeURIComponent(id), verb);
}

function group(name: string, verb = ''): string {
  return URLExt.join('groups', encodeURIComponent(name), verb);
}

function sweep(id: string, verb = ''): string {
  return URLExt.join('sweeps', encodeURIComponent(id), verb);
}
