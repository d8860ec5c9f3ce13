/** What the plugins share: the task model and the command ids. */

import { Token } from '@lumino/coreutils';
import type { IObservableDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { TaskApi, TaskError } from './services/api';
import type { IGroup } from './services/types/groups';
import type { IUnreadable } from './services/types/lists';
import type { State } from './services/types/states';
import type { ITask } from './services/types/tasks';

/** A state transition of a task; `previous` is null if the task is new. */
export interface IStateChange {
  task: ITask;
  previous: State | null;
}

/** The tasks of the server, shared by all plugins. They are changed through `api` only. */
export interface ITaskModel extends IObservableDisposable {
  /** The REST client. Call `refresh` after a change to see it without waiting for an event. */
  readonly api: TaskApi;
  /** All tasks, newest first; a new array after each change. */
  readonly tasks: readonly ITask[];
  /** The groups that are configured or in use, by name. */
  readonly groups: readonly IGroup[];
  /** The tasks in the list that cannot be read. */
  readonly unreadable: readonly IUnreadable[];
  /** Whether the list was received at least once. */
  readonly isReady: boolean;
  /** Why the last request failed; null if it did not. `tasks` keeps the last known list. */
  readonly error: TaskError | null;
  /** Emitted when any of the above has changed. */
  readonly changed: ISignal<ITaskModel, void>;
  /** Emitted for each state transition after the first list. */
  readonly stateChanged: ISignal<ITaskModel, IStateChange>;
  /** Return the task with this id. */
  get(id: string): ITask | undefined;
  /** Request the list again. Resolves when it was received, or when the request failed (see `error`). */
  refresh(): Promise<void>;
  /**
   * Resolves when `tasks` is current: at once while events arrive, otherwise after a request. Await it before requesting
   * a single task, which may have been deleted since the list was received.
   */
  current(): Promise<void>;
}

export const ITaskModel = new Token<ITaskModel>(
  'jupyter-ptytasks:ITaskModel',
  'The background tasks of the Jupyter server, kept up to date.'
);

/** The failed tasks that the user has not seen. */
export interface ISeenTasks {
  /** These tasks, newest first; a new array after each change. Empty until it is known which were seen before. */
  readonly unseen: readonly ITask[];
  /** Emitted when they have changed. */
  readonly changed: ISignal<ISeenTasks, void>;
  /** Emitted with the ids of tasks, in any state, that the user is looking at. */
  readonly looked: ISignal<ISeenTasks, readonly string[]>;
  /** Note that the user is looking at tasks. */
  see(ids: readonly string[]): void;
}

export const ISeenTasks = new Token<ISeenTasks>(
  'jupyter-ptytasks:ISeenTasks',
  'The failed background tasks that the user has not seen.'
);

/** The sidebar panel and its selection. */
export interface ITasksPanel {
  /** The selected tasks. */
  readonly selected: readonly ITask[];
  /** The group of the active row; null if there is none. */
  readonly group: string | null;
  /** The id of the sweep of the active row; null if there is none. */
  readonly sweep: string | null;
  /** Whether the panel is visible. */
  readonly isVisible: boolean;
  /** Announce a text to users of screen readers. */
  announce(text: string): void;
}

export const ITasksPanel = new Token<ITasksPanel>(
  'jupyter-ptytasks:ITasksPanel',
  'The sidebar panel of background tasks.'
);

/**
 * The command ids. Commands about tasks take `{ids: string[]}` or `{id: string}`; without arguments they apply to the
 * selection of the panel, or to the task of the current tab. Commands about groups take `{group: string}`, those about sweeps
 * `{sweep: string}`; without it they apply to the group or sweep of the active row of the panel.
 */
export namespace CommandIDs {
  /** Open the terminal tab of a task, or reveal it: `{id, readonly?, activate?}`. */
  export const open = 'ptytasks:open';
  export const openReadonly = 'ptytasks:open-readonly';
  /** Open the terminal tab of a failed task at the line that says why it failed. */
  export const showReason = 'ptytasks:show-reason';
  /** Chart the metrics of one task or of several: `{id | ids, activate?}`. */
  export const showMetrics = 'ptytasks:show-metrics';
  /** Show the whole output of a task in its terminal tab, at a line: `{id, line?, search?}`; `id` may be a name. */
  export const showOutput = 'ptytasks:show-output';
  /** Show an earlier screen of a task, in its terminal tab. */
  export const showMoments = 'ptytasks:show-moments';
  /** Scroll the current terminal tab to the previous or next command of its shell. */
  export const previousCommand = 'ptytasks:previous-command';
  export const nextCommand = 'ptytasks:next-command';
  /** Copy the selection of the current terminal tab, and paste into it. */
  export const copySelection = 'ptytasks:copy-selection';
  export const paste = 'ptytasks:paste';
  /** Show the panel; with `{ids, label?}` limit it to these tasks, with a label for them. */
  export const showPanel = 'ptytasks:show-panel';
  /** Show the table of runs. */
  export const showRuns = 'ptytasks:show-runs';
  /** Open the New Task dialog with these values, fields of `POST /tasks`: `{command?, name?, cwd?, group?, after?, …}`. */
  export const newTask = 'ptytasks:new-task';
  /** Start a task without the dialog; the same arguments. */
  export const run = 'ptytasks:run';
  export const newShell = 'ptytasks:new-shell';
  export const stop = 'ptytasks:stop';
  export const kill = 'ptytasks:kill';
  export const endLeftover = 'ptytasks:end-leftover';
  export const hold = 'ptytasks:hold';
  export const release = 'ptytasks:release';
  export const moveUp = 'ptytasks:move-up';
  export const moveDown = 'ptytasks:move-down';
  export const moveFirst = 'ptytasks:move-first';
  /** Move pending tasks next to another one, or to the first or last place: `{ids, before | after | to, group?}`. */
  export const move = 'ptytasks:move';
  /** `{ids?, group?}`; without a group it asks for one. */
  export const moveToGroup = 'ptytasks:move-to-group';
  /** `{sweep?}`: retry failed, release held, cancel or delete all tasks of a sweep. */
  export const retrySweep = 'ptytasks:retry-sweep';
  export const releaseSweep = 'ptytasks:release-sweep';
  export const cancelSweep = 'ptytasks:cancel-sweep';
  export const deleteSweep = 'ptytasks:delete-sweep';
  /** `{group?, tasks?}`; with `tasks` also pause or resume its tasks. */
  export const pauseGroup = 'ptytasks:pause-group';
  export const resumeGroup = 'ptytasks:resume-group';
  /** `{group?, slots?}`; without slots it asks for them. */
  export const setSlots = 'ptytasks:set-slots';
  export const retryFailed = 'ptytasks:retry-failed';
  export const forgetGroup = 'ptytasks:forget-group';
  /** Open a dialog that answers the question of a program. */
  export const answer = 'ptytasks:answer';
  export const pause = 'ptytasks:pause';
  export const resume = 'ptytasks:resume';
  export const restart = 'ptytasks:restart';
  export const runAgain = 'ptytasks:run-again';
  /** Open the New Task dialog with the values of a task, and start a new task with the edited values. */
  export const editAgain = 'ptytasks:edit-again';
  /** Open the details tab of a task. */
  export const details = 'ptytasks:details';
  /** Open a dialog that shows the differences between two tasks. */
  export const showDifferences = 'ptytasks:show-differences';
  export const rename = 'ptytasks:rename';
  export const editTags = 'ptytasks:edit-tags';
  /** Add tags to several tasks, or remove some. */
  export const addTags = 'ptytasks:add-tags';
  export const removeTags = 'ptytasks:remove-tags';
  /** Pin tasks, so that only the user deletes them; unpin them if all of them are pinned. */
  export const pin = 'ptytasks:pin';
  export const copyId = 'ptytasks:copy-id';
  export const copyCommand = 'ptytasks:copy-command';
  export const copyOutputPath = 'ptytasks:copy-output-path';
  export const download = 'ptytasks:download-output';
  export const downloadRecording = 'ptytasks:download-recording';
  /** Download finished tasks as files, and import such files. */
  export const exportTask = 'ptytasks:export';
  export const importTask = 'ptytasks:import';
  export const deleteTasks = 'ptytasks:delete';
  /** Choose which finished tasks to delete, and delete them all at once. */
  export const cleanUp = 'ptytasks:clean-up';
  export const refresh = 'ptytasks:refresh';
  export const runFile = 'ptytasks:run-file';
  /** Open the New Task dialog with the command that runs a file, for its arguments: `{path?, source?}`. */
  export const runFileWith = 'ptytasks:run-file-with';
  /** Ask in which queue files are run: `{path?, source?}`. */
  export const queueFile = 'ptytasks:queue-file';
  export const runSelection = 'ptytasks:run-selection';
  /** Open the dialog that runs a notebook: `{path?, source?}`. */
  export const runNotebook = 'ptytasks:run-notebook';
}
