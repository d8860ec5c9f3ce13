/** A search of the output of all tasks: hits by task, as the server finds them. */

import { Signal, type ISignal } from '@lumino/signaling';
import { z } from 'zod';

import { TaskError, type TaskApi } from './api';
import { serverNow } from './clock';
import { queryOf, type IRunsView } from './runsview';

/** The most lines that are shown; more do not help. */
const MOST = 500;

/** Milliseconds in which hits are collected for one change. */
const GATHER = 100;

const hitSchema = z.object({
  task: z.string(),
  name: z.string(),
  line: z.number(),
  text: z.string(),
  /** Characters (not UTF-16 units) from and up to. */
  spans: z.array(z.tuple([z.number(), z.number()]))
});

const summarySchema = z.object({
  hits: z.number(),
  tasks: z.number(),
  /** Why not everything was searched. */
  reason: z.enum(['limit', 'time', 'pattern']).nullable().catch(null),
  message: z.string().nullable().catch(null)
});

export type IHit = z.infer<typeof hitSchema>;
export type ISummary = z.infer<typeof summarySchema>;

/** The lines that were found in the output of one task. */
export interface IHits {
  id: string;
  name: string;
  hits: readonly IHit[];
}

/** What is searched for. */
export interface IWanted {
  q: string;
  isRegex: boolean;
}

/** `idle` before a search and after it was closed; `stopped` by the user. */
export type SearchState = 'idle' | 'searching' | 'stopped' | 'done';

/** Has one search at a time. Dispose it: that stops the search on the server, too. */
export class OutputSearch {
  constructor(private readonly _api: Pick<TaskApi, 'search'>) {}

  get state(): SearchState {
    return this._state;
  }

  /** What was found so far, by task, in the order of the server; a new array after each change. */
  get found(): readonly IHits[] {
    return this._found;
  }

  /** What was searched; null until the server has said so. */
  get summary(): ISummary | null {
    return this._summary;
  }

  /** Why it has failed; null if it has not. */
  get error(): TaskError | null {
    return this._error;
  }

  /** Emitted when any of the above has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Search the output of the tasks that a view shows. A search that is under way ends. */
  async start({ q, isRegex }: IWanted, view: IRunsView): Promise<void> {
    this._begin('searching');
    const { signal } = this._stop;
    const about = view.text.trim();
    const query = {
      ...queryOf({ ...view, sort: '', text: '' }, serverNow()),
      q,
      ignore_case: '1',
      limit: `${MOST}`,
      ...(isRegex && { regex: '1' }),
      ...(about && { task_q: about })
    };
    try {
      const response = await this._api.search(query, signal);
      for await (const line of linesOf(response)) {
        this._take(line);
      }
    } catch (error) {
      if (!signal.aborted) {
        this._error = error instanceof TaskError ? error : new TaskError(`${error}`, 0, '');
      }
    }
    if (!signal.aborted) {
      this._state = 'done';
      this._emit();
    }
  }

  /** End the search, and keep what was found. */
  stop(): void {
    if (this._state === 'searching') {
      this._stop.abort();
      this._state = 'stopped';
      this._emit();
    }
  }

  /** End the search, and forget what was found. */
  close(): void {
    this._begin('idle');
  }

  dispose(): void {
    this._stop.abort();
    clearTimeout(this._gathering);
    Signal.clearData(this);
  }

  private _begin(state: SearchState): void {
    this._stop.abort();
    this._stop = new AbortController();
    this._state = state;
    this._found = [];
    this._summary = this._error = null;
    this._emit();
  }

  private _take(line: string): void {
    const parsed: unknown = JSON.parse(line);
    const hit = hitSchema.safeParse(parsed);
    if (hit.success) {
      const { task: id, name } = hit.data;
      const last = this._found[this._found.length - 1];
      // One task is searched after the other.
      this._found =
        last?.id === id
          ? [...this._found.slice(0, -1), { ...last, hits: [...last.hits, hit.data] }]
          : [...this._found, { id, name, hits: [hit.data] }];
      this._gathering ??= setTimeout(() => this._emit(), GATHER);
    } else {
      this._summary = summarySchema.parse(parsed);
    }
  }

  private _emit(): void {
    clearTimeout(this._gathering);
    this._gathering = undefined;
    this._changed.emit();
  }

  private _state: SearchState = 'idle';
  private _found: readonly IHits[] = [];
  private _summary: ISummary | null = null;
  private _error: TaskError | null = null;
  private _stop = new AbortController();
  private _gathering: ReturnType<typeof setTimeout> | undefined;
  private readonly _changed = new Signal<this, void>(this);
}

/** Iterate over the lines of a response as they come. */
async function* linesOf(response: Response): AsyncGenerator<string, void, undefined> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (let isOver = !reader; !isOver;) {
    const { value, done = true } = (await reader?.read()) ?? {};
    isOver = done;
    const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter(Boolean);
  }
}
