/** Remembers which failed tasks the user has seen, also after a reload. */

import type { IStateDB } from '@jupyterlab/statedb';
import { Signal, type ISignal } from '@lumino/signaling';
import { z } from 'zod';

import type { ISeenTasks, ITaskModel } from '../tokens';
import { serverNow } from './clock';
import { wentWrong } from './types/states';
import type { ITask } from './types/tasks';

const KEY = 'jupyter-ptytasks:seen';

/** Milliseconds for which a failure counts: a week, so that what failed on a weekend or a holiday shows afterwards. */
const RECENT = 7 * 86_400_000;

const stored = z.object({ seen: z.array(z.string()) });

/** See ISeenTasks. Without a state database, it does not survive a reload. */
export class SeenTasks implements ISeenTasks {
  constructor(
    private readonly _model: ITaskModel,
    private readonly _state: IStateDB | null
  ) {
    void this._load();
  }

  get unseen(): readonly ITask[] {
    return this._unseen;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get looked(): ISignal<this, readonly string[]> {
    return this._looked;
  }

  see(ids: readonly string[]): void {
    if (ids.length === 0) {
      return;
    }
    const news = this._unseen.filter(({ id }) => ids.includes(id));
    if (news.length > 0) {
      // Drop the keys of tasks that were deleted or failed too long ago.
      const known = this._failures().map(keyOf);
      const seen = new Set([...this._seen, ...news.map(keyOf)]);
      this._seen = new Set(known.filter(key => seen.has(key)));
      void this._state?.save(KEY, { seen: [...this._seen] });
      this._look();
    }
    this._looked.emit(ids);
  }

  private async _load(): Promise<void> {
    const found = stored.safeParse(await this._state?.fetch(KEY).catch(() => undefined));
    this._seen = new Set(found.data?.seen);
    this._model.changed.connect(this._look, this);
    this._look();
  }

  private _failures(): ITask[] {
    const since = serverNow() - RECENT;
    return this._model.tasks.filter(
      task => wentWrong(task) && Date.parse(task.ended ?? task.created) > since
    );
  }

  private _look(): void {
    const unseen = this._failures().filter(task => !this._seen.has(keyOf(task)));
    const before = this._unseen;
    if (unseen.length !== before.length || unseen.some((task, at) => task !== before[at])) {
      this._unseen = unseen;
      this._changed.emit();
    }
  }

  private _seen = new Set<string>();
  private _unseen: readonly ITask[] = [];
  private readonly _changed = new Signal<this, void>(this);
  private readonly _looked = new Signal<this, readonly string[]>(this);
}

/** Return the key of a failure; each attempt has its own. */
function keyOf({ id, attempt }: ITask): string {
  return `${id}/${attempt}`;
}
