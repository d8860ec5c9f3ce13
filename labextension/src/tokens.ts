/** What plugins share: the model of the tasks, and the names of the commands. */

import { Token } from '@lumino/coreutils';
import type { IObservableDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { TaskApi, TaskError } from './services/api';
import type { ITask, IUnreadable, State } from './services/types';

/** A task that has come into another state; `previous` is null for one that was not known before. */
export interface IStateChange {
  task: ITask;
  previous: State | null;
}

/** The tasks of the server, as last heard: one list for everybody, who never changes it but by `api`. */
export interface ITaskModel extends IObservableDisposable {
  /** The calls that change tasks; `refresh` afterwards shows it without waiting for the server's event. */
  readonly api: TaskApi;
  /** All tasks, newest first; a new array whenever something in it has changed. */
  readonly tasks: readonly ITask[];
  /** What the server lists besides, and cannot be shown. */
  readonly unreadable: readonly IUnreadable[];
  /** False until the server has answered for the first time. */
  readonly isReady: boolean;
  /** Why the tasks are not known just now; null while they are. What was known before stays in `tasks`. */
  readonly error: TaskError | null;
  /** Emitted when any of the above has changed. */
  readonly changed: ISignal<ITaskModel, void>;
  /** Emitted for every task that has come into another state while we looked. */
  readonly stateChanged: ISignal<ITaskModel, IStateChange>;
  /** The task of this id. */
  get(id: string): ITask | undefined;
  /** Asks the server anew; resolves when `tasks` is up to date, also when that failed (see `error`). */
  refresh(): Promise<void>;
  /**
   * Resolves when `tasks` is as new as anybody can tell: at once while the server's events come, else after asking. To be
   * awaited before a single task is asked for: the server may have forgotten it since the list was read.
   */
  current(): Promise<void>;
}

export const ITaskModel = new Token<ITaskModel>(
  'jupyter-ptytasks:ITaskModel',
  'The background tasks of the Jupyter server, kept up to date.'
);

/** The sidebar panel, for those who want to know what is selected in it. */
export interface ITasksPanel {
  /** The tasks that are selected. */
  readonly selected: readonly ITask[];
  /** Whether the user can see the panel. */
  readonly isVisible: boolean;
}

export const ITasksPanel = new Token<ITasksPanel>(
  'jupyter-ptytasks:ITasksPanel',
  'The sidebar panel of background tasks.'
);

/**
 * The commands. Those that are about tasks take `{ids: string[]}`, or `{id: string}`; without either they mean what is
 * selected in the panel, or the task of the current tab.
 */
export namespace CommandIDs {
  /** Opens a task's terminal tab, or reveals it: `{id, readonly?, activate?}`. */
  export const open = 'ptytasks:open';
  export const openReadonly = 'ptytasks:open-readonly';
  /** Copies what is selected in the terminal of the current tab; pastes into it. */
  export const copySelection = 'ptytasks:copy-selection';
  export const paste = 'ptytasks:paste';
  export const showPanel = 'ptytasks:show-panel';
  /** The dialog; its fields can be filled in: `{command?, name?, cwd?, group?, tags?, env?, timeout?}`. */
  export const newTask = 'ptytasks:new-task';
  /** Starts a task at once: the same arguments. */
  export const run = 'ptytasks:run';
  export const newShell = 'ptytasks:new-shell';
  export const stop = 'ptytasks:stop';
  export const kill = 'ptytasks:kill';
  export const endLeftover = 'ptytasks:end-leftover';
  export const pause = 'ptytasks:pause';
  export const resume = 'ptytasks:resume';
  export const restart = 'ptytasks:restart';
  export const runAgain = 'ptytasks:run-again';
  export const rename = 'ptytasks:rename';
  export const editTags = 'ptytasks:edit-tags';
  export const copyId = 'ptytasks:copy-id';
  export const copyCommand = 'ptytasks:copy-command';
  export const copyOutputPath = 'ptytasks:copy-output-path';
  export const download = 'ptytasks:download-output';
  export const remove = 'ptytasks:delete';
  export const refresh = 'ptytasks:refresh';
  export const runFile = 'ptytasks:run-file';
  export const runSelection = 'ptytasks:run-selection';
  /** The dialog that runs a notebook: `{path?, source?}`. */
  export const runNotebook = 'ptytasks:run-notebook';
}
