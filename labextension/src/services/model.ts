/** The model of the tasks: fed by the server's events, and by a slow poll for what no event tells. */

import type { Event, ServerConnection } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';

import { TaskApi, TaskError } from './api';
import { newsSchema, type INews, type ITask } from './types';
import type { IStateChange, ITaskModel } from '../tokens';

/** The events that tell of a task; see events/ of the server. */
const TASK_STATE = 'https://events.jupyter.org/jupyter_ptytasks/task_state';
const TASK_PROGRESS = 'https://events.jupyter.org/jupyter_ptytasks/task_progress';

/** Milliseconds for further events to come in before the server is asked: a burst of them makes one request. */
const GATHER = 100;

/** Milliseconds for further news of progress to come in before they are told: those of all tasks at once. */
const DIGEST = 200;

/**
 * Milliseconds between two looks that no event has caused. Nobody tells whether the events come already, or again: after
 * the start and after an outage the first looks are soon, then ever later, until an event shows that they do.
 */
const SOON = 1_000;
const LATE = 30_000;

/** Milliseconds between two tries of a server that does not answer. */
const AGAIN = { interval: 1_000, backoff: true, max: 10_000 };

/** See ITaskModel. `dispose` it. */
export class TaskModel implements ITaskModel {
  constructor(options: TaskModel.IOptions) {
    this.api = new TaskApi(options.serverSettings);
    this._events = options.events;
    this._events.stream.connect(this._onEvent, this);
    this._poll = new Poll({
      factory: () => this._look(),
      frequency: { interval: SOON, backoff: false, max: LATE },
      name: 'jupyter-ptytasks:model',
      // What an event tells is of interest to somebody who looks elsewhere, too: there may be a notification of it.
      standby: () => (this._isDue ? 'never' : 'when-hidden')
    });
  }

  readonly api: TaskApi;

  get tasks(): readonly ITask[] {
    return this._tasks;
  }

  get isReady(): boolean {
    return this._isReady;
  }

  get error(): TaskError | null {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get stateChanged(): ISignal<this, IStateChange> {
    return this._stateChanged;
  }

  get disposed(): ISignal<this, void> {
    return this._disposed;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._events.stream.disconnect(this._onEvent, this);
    clearTimeout(this._gathering);
    clearTimeout(this._digesting);
    this._poll.dispose();
    this._disposed.emit();
    Signal.clearData(this);
  }

  get(id: string): ITask | undefined {
    return this._byId.get(id);
  }

  async refresh(): Promise<void> {
    this._isDue = true;
    await this._poll.refresh();
    await this._poll.tick;
  }

  private async _look(): Promise<void> {
    this._isDue = false;
    let found: ITask[];
    try {
      found = await this.api.list({ quiet: true });
    } catch (error) {
      this._fail(error instanceof TaskError ? error : new TaskError(`${error}`, 0, 'unreachable'));
      // The poll comes again, slower and slower.
      throw error;
    }
    if (!this.isDisposed) {
      this._take(found);
    }
  }

  private _fail(error: TaskError): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.frequency = AGAIN;
    this._pause = SOON;
    if (error.message !== this._error?.message) {
      this._error = error;
      this._changed.emit();
    }
  }

  private _take(found: ITask[]): void {
    this._poll.frequency = { interval: this._pause, backoff: false, max: LATE };
    this._pause = Math.min(2 * this._pause, LATE);
    const before = this._byId;
    const wasReady = this._isReady;
    const news: IStateChange[] = [];
    for (const task of found) {
      const previous = before.get(task.id)?.state ?? null;
      if (wasReady && previous !== task.state) {
        news.push({ task, previous });
      }
    }
    this._tasks = found;
    this._byId = new Map(found.map(task => [task.id, task]));
    this._isReady = true;
    this._error = null;
    this._changed.emit();
    for (const change of news) {
      this._stateChanged.emit(change);
    }
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    this._pause = LATE;
    if (event.schema_id === TASK_PROGRESS) {
      this._onNews(event);
    } else if (event.schema_id === TASK_STATE && this._gathering === undefined) {
      this._gathering = setTimeout(() => {
        this._gathering = undefined;
        void this.refresh();
      }, GATHER);
    }
  }

  private _onNews(event: Event.Emission): void {
    const { success, data } = newsSchema.safeParse(event);
    if (success) {
      this._news.set(data.id, data);
      this._digesting ??= setTimeout(() => this._digest(), DIGEST);
    }
  }

  /** Takes the news in. Nobody need be asked: all of them are in the events; a task without news stays the same object. */
  private _digest(): void {
    this._digesting = undefined;
    const changed = new Map<string, ITask>();
    for (const { id, attempt, progress, usage } of this._news.values()) {
      const task = this._byId.get(id);
      if (task?.attempt === attempt) {
        changed.set(id, { ...task, progress, usage });
      }
    }
    this._news.clear();
    if (changed.size > 0) {
      this._tasks = this._tasks.map(task => changed.get(task.id) ?? task);
      this._byId = new Map([...this._byId, ...changed]);
      this._changed.emit();
    }
  }

  private readonly _events: Event.IManager;
  private readonly _poll: Poll;
  private _tasks: readonly ITask[] = [];
  private _byId: ReadonlyMap<string, ITask> = new Map();
  private _isReady = false;
  private _isDue = true;
  /** Milliseconds from the next answer to the look after it. */
  private _pause = SOON;
  private _error: TaskError | null = null;
  private _gathering: ReturnType<typeof setTimeout> | undefined;
  private _digesting: ReturnType<typeof setTimeout> | undefined;
  /** What was told last of the progress of each task, and is not taken in yet. */
  private readonly _news = new Map<string, INews>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, IStateChange>(this);
  private readonly _disposed = new Signal<this, void>(this);
}

export namespace TaskModel {
  export interface IOptions {
    serverSettings: ServerConnection.ISettings;
    events: Event.IManager;
  }
}
