/** The rows of the table of runs: requested page by page, filtered and sorted by the server, and kept up to date. */

import { Signal, type ISignal } from '@lumino/signaling';
import { z } from 'zod';

import type { ITaskModel } from '../tokens';
import { TaskError } from './api';
import { serverNow } from './clock';
import { queryOf, WARNED, type IRunsView } from './runsview';
import { pageSchema, type IPage } from './types/lists';
import { taskSchema, type ITask } from './types/tasks';

/** What the table shows of a task; the server sends no more than that. */
const FIELDS = [
  'name',
  'command',
  'kind',
  'state',
  'state_reason',
  'state_message',
  'exit',
  'created',
  'started',
  'ended',
  'timeout',
  'group',
  'tags',
  'pinned',
  'warnings',
  'params',
  'metrics',
  'usage'
] as const;

const runSchema = taskSchema
  .pick({
    id: true,
    name: true,
    command: true,
    kind: true,
    state: true,
    state_reason: true,
    state_message: true,
    exit: true,
    created: true,
    started: true,
    ended: true,
    timeout: true,
    group: true,
    tags: true,
    pinned: true,
    warnings: true,
    params: true,
    metrics: true,
    usage: true
  })
  .extend({
    /** The commit of the code; null if the server does not report it. */
    git: z
      .object({ commit: z.string(), dirty: z.boolean().nullable().catch(null) })
      .nullable()
      .catch(null)
  });

export type IRun = z.infer<typeof runSchema>;

/** Rows per page. The first page is small to arrive fast; the others are limited so as not to block the server or the browser. */
const FIRST = 100;
const PAGE = 250;

/** The number of rows above which they are requested again less often. */
const MANY = 1000;

/** Milliseconds between two requests for the same rows, when tasks have changed: for few rows, and for many. */
const PAUSE = 2_000;
const LONG_PAUSE = 15_000;

/** Keeps the rows of one view. Requests are only made while `isActive`. The owner disposes it. */
export class RunsSource {
  constructor(private readonly _model: ITaskModel) {
    _model.changed.connect(this._onModel, this);
    _model.stateChanged.connect(this._onNews, this);
  }

  /** The rows so far, in order; a new array after each change. */
  get rows(): readonly IRun[] {
    return this._rows;
  }

  /** Whether all rows have been received. */
  get isWhole(): boolean {
    return this._isWhole;
  }

  /** Why the last request failed; null if it did not. */
  get error(): TaskError | null {
    return this._error;
  }

  /** Emitted when any of the above has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  set isActive(isActive: boolean) {
    this._isActive = isActive;
    if (isActive && this._isDue) {
      this._schedule();
    }
  }

  /** Show another view. Its rows replace the current ones when the first page arrives. */
  show(view: IRunsView): void {
    this._view = view;
    void this._load(false);
  }

  dispose(): void {
    this._turn++;
    clearTimeout(this._timer);
    this._model.changed.disconnect(this._onModel, this);
    this._model.stateChanged.disconnect(this._onNews, this);
    Signal.clearData(this);
  }

  /** Request the rows. With `isQuietly`, keep the current ones until all have arrived. */
  private async _load(isQuietly: boolean): Promise<void> {
    const view = this._view;
    if (!view) {
      return;
    }
    const turn = ++this._turn;
    clearTimeout(this._timer);
    this._timer = undefined;
    this._isDue = false;
    this._isLoading = true;
    const query = queryOf(view, serverNow());
    const found = new Map<string, IRun>();
    let taken = 0;
    let cursor: string | null = '';
    try {
      while (cursor !== null) {
        const limit = `${found.size > 0 ? PAGE : FIRST}`;
        const page = await this._page({ ...query, limit, ...(cursor && { cursor }) });
        if (turn !== this._turn) {
          return;
        }
        for (const one of page.tasks) {
          const { success, data } = runSchema.safeParse(one);
          if (success) {
            found.set(data.id, data);
          }
        }
        cursor = page.next_cursor;
        // Not after every page: each update processes all rows.
        const isDue = !isQuietly && found.size >= 2 * taken;
        if (isDue || cursor === null) {
          taken = found.size;
          this._take([...found.values()], cursor === null);
        }
      }
      this._loaded = Date.now();
      this._isLoading = false;
      if (this._isDue) {
        this._schedule();
      }
    } catch (error) {
      if (turn === this._turn) {
        this._isLoading = false;
        this._error = error instanceof TaskError ? error : new TaskError(`${error}`, 0, '');
        // Retried when the model next changes.
        this._isDue = true;
        this._changed.emit();
      }
    }
  }

  private async _page(query: Record<string, string>): Promise<IPage> {
    const isWanted = this._hasGit && this._view?.columns?.includes('git');
    const fields = [...FIELDS, ...(isWanted ? ['git'] : [])].join(',');
    try {
      return pageSchema.parse(await this._model.api.page({ ...query, fields }, { quiet: true }));
    } catch (error) {
      if (isWanted && error instanceof TaskError && error.field === 'fields') {
        this._hasGit = false;
        return this._page(query);
      }
      throw error;
    }
  }

  private _take(loaded: readonly IRun[], isWhole: boolean): void {
    this._base = loaded;
    this._isWhole = isWhole;
    this._error = null;
    this._overlay();
    this._changed.emit();
  }

  /** Merge the rows with the tasks of the model, which are more recent. */
  private _overlay(): void {
    const isKnown = this._model.isReady && !this._model.error;
    const before = this._merged;
    // Drop deleted tasks. Keep a task that the model never had: it may not have received it yet.
    this._base = this._base.filter(
      ({ id }) => !isKnown || !before.has(id) || this._model.get(id) !== undefined
    );
    this._merged = new Map();
    this._rows = this._base.map(run => {
      const task = this._model.get(run.id);
      if (!task) {
        return run;
      }
      const known = before.get(run.id);
      const merged =
        known?.run === run && known.task === task ? known : { run, task, row: { ...run, ...task } };
      this._merged.set(run.id, merged);
      return merged.row;
    });
  }

  private _onModel(): void {
    const { rows } = this;
    this._overlay();
    this._watchWarnings();
    if (this._error && !this._model.error) {
      this._schedule();
    }
    if (rows.length !== this._rows.length || rows.some((row, at) => row !== this._rows[at])) {
      this._changed.emit();
    }
  }

  /** Request the rows again if others have warnings, where the view asks for these: states do not change with them. */
  private _watchWarnings(): void {
    if (this._view?.state === WARNED) {
      const warned = this._model.tasks.filter(({ warnings }) => warnings.length > 0);
      const key = warned.map(({ id }) => id).join();
      if (key !== this._warned) {
        this._warned = key;
        this._onNews();
      }
    }
  }

  private _onNews(): void {
    this._isDue = true;
    this._schedule();
  }

  /** Request the rows again soon. Not while they are being requested: many changes would never let that complete. */
  private _schedule(): void {
    if (!this._isActive || this._isLoading || this._timer !== undefined) {
      return;
    }
    const pause = this._rows.length > MANY ? LONG_PAUSE : PAUSE;
    const left = Math.max(0, this._loaded + pause - Date.now());
    this._timer = setTimeout(() => void this._load(true), left);
  }

  private _view: IRunsView | null = null;
  private _isActive = false;
  /** Whether tasks have changed since the rows were requested. */
  private _isDue = false;
  private _isLoading = false;
  /** Whether the server may support the field `git`; older ones reject it. */
  private _hasGit = true;
  private _base: readonly IRun[] = [];
  private _rows: readonly IRun[] = [];
  private _merged = new Map<string, { run: IRun; task: ITask; row: IRun }>();
  /** The ids of the tasks that had warnings when the rows were requested, joined. */
  private _warned = '';
  private _isWhole = false;
  private _error: TaskError | null = null;
  private _turn = 0;
  private _loaded = -Infinity;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _changed = new Signal<this, void>(this);
}
