/** The points of the metrics of some tasks, kept up to date while they are visible. */

import { Signal, type ISignal } from '@lumino/signaling';

import { extended } from '../format/curves';
import type { ICurves } from './types/measured';
import type { ITask } from './types/tasks';
import type { ITaskModel } from '../tokens';

/** The most points of a metric: as many as the server keeps. */
const POINTS = 4096;

/** Milliseconds between two requests for one task, and before a request that failed is repeated. */
const AGAIN = 1000;
const LATER = 5000;

/** The most concurrent requests. */
const AT_ONCE = 4;

/** What is known of one task. */
interface IKnown {
  name: string;
  curves: ICurves | null;
  /** The state of the task in the list that `curves` includes. */
  seen: string;
  isAsked: boolean;
  /** When it may be requested again, in milliseconds since the Unix epoch. */
  due: number;
}

/** Follows the metrics of some tasks while `isActive`. */
export class CurveFollower {
  constructor(private readonly _options: CurveFollower.IOptions) {
    for (const id of _options.ids) {
      this._known.set(id, { name: id, curves: null, seen: '', isAsked: false, due: 0 });
    }
    _options.model.changed.connect(this._look, this);
  }

  /** Return the metrics of a task; null before the first response. */
  get(id: string): ICurves | null {
    return this._known.get(id)?.curves ?? null;
  }

  /** Return the name of a task; the last one, if it has been deleted. */
  name(id: string): string {
    const known = this._known.get(id);
    const name = this._options.model.get(id)?.name ?? known?.name ?? id;
    if (known) {
      known.name = name;
    }
    return name;
  }

  /** Why the last request failed; empty if it did not. What was received before is kept. */
  get problem(): string {
    return this._problem;
  }

  /** Emitted when any of the above has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether to make requests at all. */
  set isActive(value: boolean) {
    this._isActive = value;
    this._look();
  }

  dispose(): void {
    this._isActive = false;
    clearTimeout(this._timer);
    this._options.model.changed.disconnect(this._look, this);
    Signal.clearData(this);
  }

  /** Request what has changed, a few tasks at a time. */
  private _look(): void {
    const { model } = this._options;
    if (!this._isActive || !model.isReady || model.error) {
      return;
    }
    const now = Date.now();
    let next = Infinity;
    for (const [id, known] of this._known) {
      const task = model.get(id);
      if (!task || known.isAsked || known.seen === moment(task)) {
        continue;
      }
      if (this._asked >= AT_ONCE) {
        return; // each response calls this again
      }
      if (known.due > now) {
        next = Math.min(next, known.due);
      } else {
        void this._ask(task, known);
      }
    }
    clearTimeout(this._timer);
    if (next < Infinity) {
      this._timer = setTimeout(() => this._look(), next - now);
    }
  }

  private async _ask(task: ITask, known: IKnown): Promise<void> {
    known.isAsked = true;
    this._asked += 1;
    try {
      const before = known.curves?.attempt === task.attempt ? known.curves : null;
      known.curves = (await this._newer(task.id, before)) ?? (await this._fetch(task.id, null));
      known.seen = moment(task);
      known.due = Date.now() + AGAIN;
      this._problem = '';
    } catch (error) {
      known.due = Date.now() + LATER;
      this._problem = error instanceof Error ? error.message : `${error}`;
    } finally {
      known.isAsked = false;
      this._asked -= 1;
    }
    if (this._isActive) {
      this._changed.emit();
      this._look();
    }
  }

  /** Return `before` with its new points; null if all points must be requested. */
  private async _newer(id: string, before: ICurves | null): Promise<ICurves | null> {
    const since = before && lastTime(before);
    if (!before || since === null) {
      return null;
    }
    const found = await this._fetch(id, since);
    const old = new Map(before.metrics.map(curve => [curve.name, curve]));
    const metrics = found.metrics.flatMap(curve => {
      const known = old.get(curve.name);
      return known ? [extended(known, curve)] : [];
    });
    // The first points of a new metric are older than its recognition as a metric.
    const isWhole = metrics.length === found.metrics.length && found.attempt === before.attempt;
    return isWhole ? { ...found, metrics } : null;
  }

  private _fetch(id: string, since: number | null): Promise<ICurves> {
    return this._options.model.api.metrics(id, POINTS, since, { quiet: true });
  }

  private _isActive = false;
  private _asked = 0;
  private _problem = '';
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _known = new Map<string, IKnown>();
  private readonly _changed = new Signal<this, void>(this);
}

export namespace CurveFollower {
  export interface IOptions {
    ids: readonly string[];
    model: ITaskModel;
  }
}

/** Return a key that changes with the metrics of a task. */
function moment(task: ITask): string {
  return `${task.attempt} ${task.ended ?? ''} ${JSON.stringify(task.metrics)}`;
}

/** Return the time of the latest point; null if there is none, or if a metric has more points than are worth keeping. */
function lastTime(curves: ICurves): number | null {
  const columns = curves.metrics.map(({ times }) => times);
  return columns.length === 0 || columns.some(({ length }) => length >= 2 * POINTS)
    ? null
    : Math.max(...columns.map(times => times[times.length - 1] ?? 0));
}
