/** Notifications about conditions that last for a while, such as a program's question. They close when the condition ends. */

import { elapsed } from '../format/times';
import { serverNow } from './clock';
import type { ITask } from './types/tasks';
import type { ITaskModel } from '../tokens';

/**
 * Milliseconds that a condition must last, and milliseconds after the start of the task or the page in which the task's terminal
 * may be about to open.
 */
const LASTS = 300;
const OPENING = 2_000;

/** Shows at most one notification for each task while its condition lasts. */
export class LastingNotifier {
  constructor(private readonly _options: LastingNotifier.IOptions) {
    _options.model.changed.connect(this._look, this);
    this._look(_options.model);
  }

  /** Close the notifications of tasks that the user looks at. */
  see(ids: readonly string[]): void {
    for (const matter of ids.flatMap(id => this._matters.get(id) ?? [])) {
      matter.close?.();
      matter.isSeen = true;
    }
  }

  /** Close the notifications that the user no longer wants, and show those that are wanted now. */
  reconsider(): void {
    for (const [id, matter] of this._matters) {
      const task = this._options.model.get(id);
      if (task && !this._options.isWanted(task)) {
        matter.close?.();
        matter.close = undefined;
      } else if (matter.isDue) {
        void this._notify(id, matter);
      }
    }
  }

  private _look({ tasks, isReady }: ITaskModel): void {
    const lasting = new Set<string>();
    for (const task of tasks) {
      const key = this._options.keyOf(task);
      if (!key) {
        continue;
      }
      lasting.add(task.id);
      if (this._matters.get(task.id)?.key !== key) {
        this._forget(task.id);
        const isEarly = !this._wasReady || elapsed(task, serverNow()) < OPENING;
        const matter: IMatter = { key, isSeen: false, isDue: false };
        this._matters.set(task.id, matter);
        setTimeout(() => void this._notify(task.id, matter), isEarly ? OPENING : LASTS);
      }
    }
    for (const id of [...this._matters.keys()].filter(id => !lasting.has(id))) {
      this._forget(id);
    }
    this._wasReady ||= isReady;
  }

  private async _notify(id: string, matter: IMatter): Promise<void> {
    const { model, isWanted, isLookedAt, show } = this._options;
    matter.isDue = true;
    // The condition may have ended, and another one may have begun.
    const isOver = () => this._matters.get(id) !== matter;
    const known = model.get(id);
    if (!known || !isWanted(known) || isOver()) {
      return;
    }
    matter.isSeen ||= await isLookedAt(id);
    const task = model.get(id);
    if (!isOver() && !matter.isSeen && !matter.close && task) {
      matter.close = show(task);
    }
  }

  private _forget(id: string): void {
    this._matters.get(id)?.close?.();
    this._matters.delete(id);
  }

  private _wasReady = false;
  private readonly _matters = new Map<string, IMatter>();
}

/** A condition of a task, and a function that closes its notification. */
interface IMatter {
  key: string;
  isSeen: boolean;
  /** Whether it has lasted long enough. */
  isDue: boolean;
  close?: () => void;
}

export namespace LastingNotifier {
  export interface IOptions {
    model: ITaskModel;
    /** Return a key that identifies the condition of a task; empty if there is none. */
    keyOf: (task: ITask) => string;
    /** Return whether the user wants these notifications about a task. */
    isWanted: (task: ITask) => boolean;
    /** Return whether the task is visible, or is about to be. */
    isLookedAt: (id: string) => Promise<boolean>;
    /** Show a notification about a task; return a function that closes it. */
    show: (task: ITask) => () => void;
  }
}
