/** A search of the output of tasks: hits by task, as the server finds them. */

import { Signal, type ISignal } from '@lumino/signaling';
import { z } from 'zod';

import { TaskError, type TaskApi } from './api';

/** Milliseconds in which hits are collected for one `changed` signal. */
const GATHER = 100;

const hitSchema = z.object({
  task: z.string(),
  name: z.string(),
  line: z.number(),
  /** At most 4000 characters of the line. */
  text: z.string(),
  /** Where `text` begins in the line, after an ellipsis if not at 0; 0 from older servers, which do not report it. */
  start: z.number().catch(0),
  /** The matches, as half-open ranges of characters (not UTF-16 code units). */
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

/** The options of a search. */
export interface IHow {
  isRegex: boolean;
  matchesCase: boolean;
}

/** A search: its text or expression, and its options. */
export interface IWanted extends IHow {
  q: string;
}

/** `idle` before a search and after `close`; `stopped` by the user. */
export type SearchState = 'idle' | 'searching' | 'stopped' | 'done';

/** Runs one search at a time. The owner disposes it, which stops the search on the server, too. */
export class OutputSearch {
  constructor(private readonly _api: Pick<TaskApi, 'search'>) {}

  get state(): SearchState {
    return this._state;
  }

  /** The hits so far, by task, in the order of the server; a new array after each change. */
  get found(): readonly IHits[] {
    return this._found;
  }

  /** The current or last search; null before the first one and after `close`. */
  get wanted(): IWanted | null {
    return this._wanted;
  }

  /** The server's summary of the search; null until it is received. */
  get summary(): ISummary | null {
    return this._summary;
  }

  /** Why the search failed; null if it did not. */
  get error(): TaskError | null {
    return this._error;
  }

  /** Emitted when any of the above has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Search tasks selected by `where` (parameters of `GET /search`) for up to `most` lines. Ends a search in progress. */
  async start(wanted: IWanted, where: Record<string, string>, most: number): Promise<void> {
    this._begin('searching', wanted);
    const { signal } = this._stop;
    const query = {
      ...where,
      q: wanted.q,
      limit: `${most}`,
      ...(!wanted.matchesCase && { ignore_case: '1' }),
      ...(wanted.isRegex && { regex: '1' })
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

  /** End the search, and keep the hits. */
  stop(): void {
    if (this._state === 'searching') {
      this._stop.abort();
      this._state = 'stopped';
      this._emit();
    }
  }

  /** End the search, and discard the hits. */
  close(): void {
    this._begin('idle', null);
  }

  dispose(): void {
    this._stop.abort();
    clearTimeout(this._gathering);
    Signal.clearData(this);
  }

  private _begin(state: SearchState, wanted: IWanted | null): void {
    this._stop.abort();
    this._stop = new AbortController();
    this._state = state;
    this._wanted = wanted;
    this._found = [];
    this._gathered = [];
    this._summary = this._error = null;
    this._emit();
  }

  private _take(line: string): void {
    const parsed: unknown = JSON.parse(line);
    const hit = hitSchema.safeParse(parsed);
    if (hit.success) {
      this._gathered.push(hit.data);
      this._gathering ??= setTimeout(() => this._emit(), GATHER);
    } else {
      this._summary = summarySchema.parse(parsed);
    }
  }

  private _emit(): void {
    clearTimeout(this._gathering);
    this._gathering = undefined;
    if (this._gathered.length > 0) {
      this._found = joined(this._found, this._gathered);
      this._gathered = [];
    }
    this._changed.emit();
  }

  private _state: SearchState = 'idle';
  private _wanted: IWanted | null = null;
  private _found: readonly IHits[] = [];
  /** Hits that are not in `_found` yet. */
  private _gathered: IHit[] = [];
  private _summary: ISummary | null = null;
  private _error: TaskError | null = null;
  private _stop = new AbortController();
  private _gathering: ReturnType<typeof setTimeout> | undefined;
  private readonly _changed = new Signal<this, void>(this);
}

/** Return the hits with more of them added. The hits of a task are consecutive, because tasks are searched in turn. */
function joined(found: readonly IHits[], more: readonly IHit[]): IHits[] {
  const all: { id: string; name: string; hits: IHit[] }[] = [];
  const last = found[found.length - 1];
  if (last) {
    all.push({ ...last, hits: [...last.hits] });
  }
  for (const hit of more) {
    let one = all[all.length - 1];
    if (one?.id !== hit.task) {
      one = { id: hit.task, name: hit.name, hits: [] };
      all.push(one);
    }
    one.hits.push(hit);
  }
  return [...found.slice(0, -1), ...all];
}

/**
 * Return the index of the next hit in a task, from line `from` on, or of the previous one (-1), before that line. Wraps around at
 * the ends. Null if there is no hit, or if the search must be over (`isOver`) to know it.
 */
export function nextHit(
  hits: readonly IHit[],
  from: number,
  step: 1 | -1,
  isOver: boolean
): number | null {
  const following = hits.findIndex(({ line }) => line >= from);
  if (hits.length === 0 || (following < 0 && !isOver)) {
    return null;
  }
  if (step > 0) {
    return Math.max(0, following);
  }
  if (following === 0 && !isOver) {
    return null;
  }
  return (following > 0 ? following : hits.length) - 1;
}

/** Iterate over the lines of a response as they arrive. */
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
