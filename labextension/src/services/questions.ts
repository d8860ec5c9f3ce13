/** Decides which questions of programs are worth a notification, and when it is over. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { questionKey, questionMessage } from '../format/question';
import { elapsed } from '../format/times';
import { serverNow } from './clock';
import type { ITask } from './types';
import type { ITaskModel } from '../tokens';

/**
 * Milliseconds that a question must last, and those after the start of a task, or of the page, in which its terminal may be
 * about to open.
 */
const LASTS = 300;
const OPENING = 2_000;

/** Return whether the program of a task asks for something; full-screen programs and shells at their prompts do not. */
export function isWorthAsking(task: ITask): boolean {
  const { waiting } = task;
  return (
    waiting !== null &&
    waiting.kind !== 'shell' &&
    (waiting.kind !== 'keys' || !!waiting.prompt.trim())
  );
}

/** Has at most one notification for each task, as long as its question lasts. */
export class QuestionNotifier {
  constructor(private readonly _options: QuestionNotifier.IOptions) {
    _options.model.changed.connect(this._look, this);
    this._look(_options.model);
  }

  /** Close the notification of a task that the user looks at. */
  see(id: string): void {
    const asked = this._asked.get(id);
    asked?.close?.();
    if (asked) {
      asked.isSeen = true;
    }
  }

  private _look({ tasks, isReady }: ITaskModel): void {
    const asking = new Set<string>();
    for (const task of tasks) {
      const key = isWorthAsking(task) ? questionKey(task) : '';
      if (!key) {
        continue;
      }
      asking.add(task.id);
      if (this._asked.get(task.id)?.key !== key) {
        this._forget(task.id);
        const isEarly = !this._wasReady || elapsed(task, serverNow()) < OPENING;
        const asked: IAsked = { key, isSeen: false };
        this._asked.set(task.id, asked);
        setTimeout(() => void this._notify(task.id, asked), isEarly ? OPENING : LASTS);
      }
    }
    for (const id of [...this._asked.keys()].filter(id => !asking.has(id))) {
      this._forget(id);
    }
    this._wasReady ||= isReady;
  }

  private async _notify(id: string, asked: IAsked): Promise<void> {
    const { model, trans, isWanted, isLookedAt, show } = this._options;
    // The same question may be asked once more meanwhile: that is another one.
    const isOver = () => this._asked.get(id) !== asked;
    if (!isWanted() || isOver() || (await isLookedAt(id))) {
      return;
    }
    const task = model.get(id);
    if (!isOver() && !asked.isSeen && task) {
      asked.close = show(task, questionMessage(task, trans));
    }
  }

  private _forget(id: string): void {
    this._asked.get(id)?.close?.();
    this._asked.delete(id);
  }

  private _wasReady = false;
  private readonly _asked = new Map<string, IAsked>();
}

/** A question, and what closes its notification. */
interface IAsked {
  key: string;
  isSeen: boolean;
  close?: () => void;
}

export namespace QuestionNotifier {
  export interface IOptions {
    model: ITaskModel;
    trans: TranslationBundle;
    /** Return whether the user wants these notifications. */
    isWanted: () => boolean;
    /** Return whether the task is visible, or is about to be. */
    isLookedAt: (id: string) => Promise<boolean>;
    /** Show a notification about a task; return what closes it. */
    show: (task: ITask, message: string) => () => void;
  }
}
