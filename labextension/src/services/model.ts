/** The model of the tasks, updated by the server's events and by a slow poll for what events do not cover. */

import type { Event, ServerConnection } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';

import { TaskApi, TaskError } from './api';
import { withNews, type IListing, type INews } from './listing';
import { progressEventSchema, waitingEventSchema } from './types/events';
import type { IGroup } from './types/groups';
import type { IUnreadable } from './types/lists';
import type { ITask } from './types/tasks';
import type { IStateChange, ITaskModel } from '../tokens';

/** The event schemas of the server about tasks and groups. */
const TASK_STATE = 'https://events.jupyter.org/jupyter_ptytasks/task_state';
const TASK_PROGRESS = 'https://events.jupyter.org/jupyter_ptytasks/task_progress';
const TASK_WAITING = 'https://events.jupyter.org/jupyter_ptytasks/task_waiting';
const GROUP_STATE = 'https://events.jupyter.org/jupyter_ptytasks/group_state';

/** Milliseconds to wait for more events before a request: a burst of events causes one request. */
const GATHER = 100;

/** Milliseconds in which progress events are collected for one update of the model. */
const DIGEST = 200;

/**
 * Milliseconds between polls. After the start and after an outage, the interval grows from the first value to the second,
 * because events may not arrive yet. The first event sets it to the second.
 */
const SOON = 1_000;
const LATE = 30_000;

/** The longest interval on a page without events. */
const LATE_ALONE = 5_000;

/** The poll interval while the server does not respond. */
const AGAIN = { interval: 1_000, backoff: true, max: 10_000 };

/** The poll interval if tasks are not available on the server. */
const NEVER = { interval: Poll.NEVER, backoff: false, max: Poll.NEVER };

/** Milliseconds for which a list counts as current without events. */
const FRESH = 1_000;

/** The requests are not caused by the user. */
const QUIET = { quiet: true };

/** See ITaskModel. */
export class TaskModel implements ITaskModel {
  constructor(options: TaskModel.IOptions) {
    this.api = new TaskApi(options.serverSettings);
    this._events = options.events;
    this._late = this._events ? LATE : LATE_ALONE;
    this._events?.stream.connect(this._onEvent, this);
    this._poll = new Poll({
      factory: () => this._look(),
      frequency: { interval: SOON, backoff: false, max: this._late },
      name: 'jupyter-ptytasks:model',
      // Handle events on hidden pages too: there may be a notification.
      standby: () => (this._isDue ? 'never' : 'when-hidden')
    });
    document.addEventListener('visibilitychange', this._onVisible);
    window.addEventListener('pageshow', this._onShown);
  }

  readonly api: TaskApi;

  get tasks(): readonly ITask[] {
    return this._listing.tasks;
  }

  get unreadable(): readonly IUnreadable[] {
    return this._listing.unreadable;
  }

  get groups(): readonly IGroup[] {
    return this._groups;
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
    this._events?.stream.disconnect(this._onEvent, this);
    document.removeEventListener('visibilitychange', this._onVisible);
    window.removeEventListener('pageshow', this._onShown);
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
    clearTimeout(this._gathering);
    this._gathering = undefined;
    // The result of a request that is under way may be older than this call: make another one.
    for (let look = 0; look < 2 && this._isDue && !this.isDisposed; look++) {
      await this._poll.refresh();
      // Rejected if the model is disposed meanwhile.
      await this._poll.tick.catch(() => undefined);
    }
  }

  async current(): Promise<void> {
    const now = Date.now();
    const isFollowed = now - this._looked < FRESH || now - this._heard < LATE;
    if (!isFollowed || this._gathering !== undefined || this._isDue) {
      await this.refresh();
    }
  }

  /** Refresh an outdated list when the page becomes visible. */
  private readonly _onVisible = (): void => {
    const isOld = Date.now() - this._looked > LATE;
    if (!document.hidden && isOld && this._isReady && !this._error?.isLasting) {
      void this.refresh();
    }
  };

  /** Refresh when the page comes back from the back/forward cache, where it received no events. */
  private readonly _onShown = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) {
      this._heard = -Infinity;
      void this.refresh();
    }
  };

  private async _look(): Promise<void> {
    // A poll without a cause is for what changes without an event.
    const isRound = !this._isDue;
    this._isDue = false;
    const turn = ++this._turns;
    const began = Date.now();
    this._news.clear();
    let found: (list: IListing) => IListing;
    let groups: readonly IGroup[];
    try {
      found = await this._request(isRound);
      // Show the tasks even without groups.
      groups = await this.api.groups(QUIET).catch(() => this._groups);
    } catch (error) {
      this._fail(error instanceof TaskError ? error : new TaskError(`${error}`, 0, 'unreachable'));
      // The poll backs off.
      throw error;
    }
    // Responses may arrive out of order.
    if (!this.isDisposed && turn > this._taken) {
      this._taken = turn;
      this._looked = began;
      this._take(found(this._listing), groups);
    }
  }

  /** Return a function that updates the list: with its changes, if the server knows them, or by a new list. */
  private async _request(isRound: boolean): Promise<(list: IListing) => IListing> {
    const { revision } = this._listing;
    const changes = revision === null ? null : await this.api.changes(revision, isRound, QUIET);
    if (changes) {
      return changes;
    }
    const whole = await this.api.list(QUIET);
    return () => whole;
  }

  private _fail(error: TaskError): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.frequency = error.isLasting ? NEVER : AGAIN;
    this._pause = SOON;
    // Changes may be missed from now on.
    this._looked = this._heard = -Infinity;
    if (error.message !== this._error?.message) {
      this._error = error;
      this._changed.emit();
    }
  }

  private _take(found: IListing, groups: readonly IGroup[]): void {
    this._poll.frequency = { interval: this._pause, backoff: false, max: this._late };
    this._pause = Math.min(2 * this._pause, this._late);
    const before = this._byId;
    const wasReady = this._isReady;
    const news: IStateChange[] = [];
    this._keep(withNews(found, this._news));
    for (const task of this.tasks) {
      const previous = before.get(task.id)?.state ?? null;
      if (wasReady && previous !== task.state) {
        news.push({ task, previous });
      }
    }
    this._groups = groups;
    this._isReady = true;
    this._error = null;
    this._changed.emit();
    for (const change of news) {
      this._stateChanged.emit(change);
    }
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    this._pause = LATE;
    this._heard = Date.now();
    if (event.schema_id === TASK_PROGRESS) {
      this._onProgress(event);
    } else if (event.schema_id === TASK_WAITING) {
      this._onWaiting(event);
    } else if (event.schema_id === TASK_STATE || event.schema_id === GROUP_STATE) {
      if (event.action === 'deleted' && event.schema_id === TASK_STATE) {
        this._drop(event.id);
      }
      this._gathering ??= setTimeout(() => {
        this._gathering = undefined;
        void this.refresh();
      }, GATHER);
    }
  }

  /** Remove a deleted task at once, so that it is not requested before the next list arrives. */
  private _drop(id: unknown): void {
    const tasks = this.tasks.filter(task => task.id !== id);
    if (tasks.length < this.tasks.length) {
      this._keep({ ...this._listing, tasks });
      this._changed.emit();
    }
  }

  private _onProgress(event: Event.Emission): void {
    const { success, data } = progressEventSchema.safeParse(event);
    if (success) {
      const { id, attempt, ...fields } = data;
      this._hear(id, { attempt, fields });
      this._digesting ??= setTimeout(() => this._digest(), DIGEST);
    }
  }

  private _onWaiting(event: Event.Emission): void {
    const { success, data } = waitingEventSchema.safeParse(event);
    if (success) {
      const { id, attempt, waiting } = data;
      this._hear(id, { attempt, fields: { waiting } });
      this._digest();
    }
  }

  private _hear(id: string, { attempt, fields }: INews): void {
    for (const news of [this._news, this._undigested]) {
      const before = news.get(id);
      const known = before?.attempt === attempt ? before.fields : {};
      news.set(id, { attempt, fields: { ...known, ...fields } });
    }
  }

  /** Apply the collected events. */
  private _digest(): void {
    clearTimeout(this._digesting);
    this._digesting = undefined;
    const listing = withNews(this._listing, this._undigested);
    this._undigested.clear();
    if (listing !== this._listing) {
      this._keep(listing);
      this._changed.emit();
    }
  }

  private _keep(listing: IListing): void {
    this._listing = listing;
    this._byId = new Map(listing.tasks.map(task => [task.id, task]));
  }

  private readonly _events: Event.IManager | undefined;
  private readonly _late: number;
  private readonly _poll: Poll;
  private _listing: IListing = { tasks: [], unreadable: [], revision: null };
  private _groups: readonly IGroup[] = [];
  private _byId: ReadonlyMap<string, ITask> = new Map();
  private _isReady = false;
  private _isDue = true;
  /** The number of requests started, and the last one whose response was used. */
  private _turns = 0;
  private _taken = 0;
  /** When the request for the current `tasks` started, and when the last event arrived. */
  private _looked = -Infinity;
  private _heard = -Infinity;
  /** Milliseconds from the next response to the poll after it. */
  private _pause = SOON;
  private _error: TaskError | null = null;
  private _gathering: ReturnType<typeof setTimeout> | undefined;
  private _digesting: ReturnType<typeof setTimeout> | undefined;
  /** What events have said, by task id: what is not applied yet, and all since the last request, whose response may be older. */
  private readonly _undigested = new Map<string, INews>();
  private readonly _news = new Map<string, INews>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, IStateChange>(this);
  private readonly _disposed = new Signal<this, void>(this);
}

export namespace TaskModel {
  export interface IOptions {
    serverSettings: ServerConnection.ISettings;
    /** If missing, the model only polls. */
    events?: Event.IManager;
  }
}
