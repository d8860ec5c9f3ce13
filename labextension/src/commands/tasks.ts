/** The commands about existing tasks: stop, restart, rename, copy, delete and more. */

import { Clipboard, InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  closeIcon,
  copyIcon,
  downloadIcon,
  editIcon,
  pauseIcon,
  redoIcon,
  refreshIcon,
  runIcon,
  stopIcon,
  tagIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import type { TaskApi } from '../services/api';
import { isAnswerable } from '../format/question';
import { lineOf } from '../forms/shells';
import { isEnded, isPending } from '../services/types/states';
import type { ITask } from '../services/types/tasks';
import { CommandIDs, type ITaskModel } from '../tokens';
import { argumentsOf, lookUp, TASKS } from './args';
import type { ConfirmDialogs } from './confirm';
import { each } from './each';

export interface ITaskCommandsOptions {
  commands: CommandRegistry;
  model: ITaskModel;
  dialogs: () => Promise<ConfirmDialogs>;
  trans: TranslationBundle;
  /** Return the tasks for commands without arguments. */
  current: () => readonly ITask[];
  /** Show a task that was just started. */
  open: (id: string) => void;
  /** Ask the user for an answer to the question of a task, and send it. */
  answer: (task: ITask) => Promise<void>;
}

/** A command; `addTaskCommands` finds its tasks. */
interface IAction {
  label: string;
  /** Return the label for these tasks, if it depends on them. */
  labelOf?: (tasks: readonly ITask[]) => string;
  caption: string;
  icon?: LabIcon;
  /** Return whether it applies to a task. */
  fits?: (task: ITask) => boolean;
  /** Whether it needs exactly one task. */
  isSingle?: boolean;
  run: (tasks: ITask[]) => Promise<void> | void;
}

export function addTaskCommands(options: ITaskCommandsOptions): IDisposable {
  const { commands, model, trans, current } = options;
  const added = new DisposableSet();
  for (const [id, action] of Object.entries(actions(options))) {
    const fits = action.fits ?? (() => true);
    const targets = (tasks: readonly ITask[]): ITask[] =>
      action.isSingle && tasks.length !== 1 ? [] : tasks.filter(fits);
    const known = (args: ReadonlyPartialJSONObject): readonly ITask[] =>
      argumentsOf(args)?.flatMap(id => model.get(id) ?? []) ?? current();
    added.add(
      commands.addCommand(id, {
        label: args => action.labelOf?.(known(args)) ?? action.label,
        caption: action.caption,
        icon: action.icon,
        describedBy: { args: TASKS },
        isEnabled: args => targets(known(args)).length > 0,
        execute: async args => {
          const named = argumentsOf(args);
          const found = named ? await lookUp(model, named) : current();
          const tasks = targets(found);
          const missing = named ? named.length - found.length : 0;
          if (tasks.length === 0 && missing === 0) {
            return;
          }
          try {
            if (tasks.length > 0) {
              await action.run(tasks);
            }
            if (missing > 0) {
              throw new Error(
                trans._n(
                  'The task no longer exists on the server.',
                  '%1 tasks no longer exist on the server.',
                  missing
                )
              );
            }
          } catch (error) {
            await showErrorMessage(
              trans.__('%1 failed', action.label.replace('…', '')),
              error instanceof Error ? error.message : `${error}`
            );
          } finally {
            await model.refresh();
          }
        }
      })
    );
  }
  return added;
}

function actions(options: ITaskCommandsOptions): Record<string, IAction> {
  const { model, dialogs, trans, open, answer } = options;
  const api: TaskApi = model.api;
  const tagging = async () => new (await import('./tagging')).TagDialogs(api, trans);
  return {
    [CommandIDs.stop]: {
      label: trans.__('Stop'),
      caption: trans.__('Stop the task: Ctrl+C first, then stronger signals; its output is kept'),
      icon: stopIcon,
      fits: task => !isEnded(task) && task.state !== 'stopping',
      run: async tasks => {
        if (await (await dialogs()).stop(tasks)) {
          await each(tasks, task => api.stop(task.id));
        }
      }
    },
    [CommandIDs.kill]: {
      label: trans.__('Kill'),
      caption: trans.__('End the task immediately, without a chance to clean up'),
      icon: closeIcon,
      fits: task => !isEnded(task),
      run: async tasks => {
        if (await (await dialogs()).kill(tasks)) {
          await each(tasks, task => api.stop(task.id, ['SIGKILL']));
        }
      }
    },
    [CommandIDs.endLeftover]: {
      label: trans.__('End Leftover Processes'),
      caption: trans.__('End the processes that a finished task left running'),
      icon: closeIcon,
      // On other machines the server cannot end them.
      fits: task => isEnded(task) && task.leftover > 0 && task.place === 'local',
      run: async tasks => {
        if (await (await dialogs()).endLeftover(tasks)) {
          await each(tasks, task => api.endLeftover(task.id));
        }
      }
    },
    [CommandIDs.hold]: {
      label: trans.__('Hold'),
      caption: trans.__('Keep the queued task from starting until it is released'),
      icon: pauseIcon,
      fits: task => task.state === 'queued',
      run: tasks => each(tasks, task => api.hold(task.id))
    },
    [CommandIDs.release]: {
      label: trans.__('Release'),
      caption: trans.__('Let the held task start when its turn comes'),
      icon: runIcon,
      fits: task => task.state === 'held',
      run: tasks => each(tasks, task => api.release(task.id))
    },
    [CommandIDs.answer]: {
      label: trans.__('Answer…'),
      caption: trans.__('Answer the question of the program'),
      fits: isAnswerable,
      isSingle: true,
      run: ([task]) => answer(task)
    },
    [CommandIDs.pause]: {
      label: trans.__('Pause'),
      caption: trans.__('Suspend the processes of the task until it is resumed'),
      icon: pauseIcon,
      fits: task => task.state === 'running',
      run: tasks => each(tasks, task => api.pause(task.id))
    },
    [CommandIDs.resume]: {
      label: trans.__('Resume'),
      caption: trans.__('Resume a paused task'),
      icon: runIcon,
      fits: task => task.state === 'paused',
      run: tasks => each(tasks, task => api.resume(task.id))
    },
    [CommandIDs.restart]: {
      label: trans.__('Restart'),
      caption: trans.__('Run the task again from the beginning; a running task is stopped first'),
      icon: refreshIcon,
      fits: task => task.state !== 'stopping' && !isPending(task),
      run: async tasks => {
        const live = tasks.filter(task => !isEnded(task));
        if (live.length === 0 || (await (await dialogs()).restart(live))) {
          await each(tasks, task => api.restart(task.id));
        }
      }
    },
    [CommandIDs.runAgain]: {
      label: trans.__('Run Again as New Task'),
      caption: trans.__(
        'Start a new task with the same command, environment, name, working directory, group and tags'
      ),
      icon: redoIcon,
      run: tasks => each(tasks, async task => open((await api.again(task.id)).id))
    },
    [CommandIDs.rename]: {
      label: trans.__('Rename…'),
      caption: trans.__('Change the name of the task'),
      icon: editIcon,
      isSingle: true,
      run: async ([task]) => {
        const { value } = await InputDialog.getText({
          title: trans.__('Rename Task'),
          label: trans.__('Name'),
          text: task.name,
          okLabel: trans.__('Rename'),
          required: true
        });
        if (value?.trim()) {
          await api.update(task.id, { name: value.trim() });
        }
      }
    },
    [CommandIDs.editTags]: {
      label: trans.__('Edit Tags…'),
      caption: trans.__('Change the tags of the task'),
      icon: tagIcon,
      isSingle: true,
      run: async ([task]) => (await tagging()).edit(task)
    },
    [CommandIDs.addTags]: {
      label: trans.__('Add Tags…'),
      caption: trans.__('Add tags to the tasks'),
      icon: tagIcon,
      run: async tasks => (await tagging()).add(tasks)
    },
    [CommandIDs.removeTags]: {
      label: trans.__('Remove Tags…'),
      caption: trans.__('Remove tags from the tasks'),
      icon: tagIcon,
      fits: task => task.tags.length > 0,
      run: async tasks => (await tagging()).remove(tasks)
    },
    [CommandIDs.pin]: {
      label: trans.__('Pin'),
      labelOf: tasks =>
        tasks.length > 0 && tasks.every(task => task.pinned) ? trans.__('Unpin') : trans.__('Pin'),
      caption: trans.__('Keep the tasks until you unpin or delete them'),
      run: tasks => api.updateAll(ids(tasks), { pinned: !tasks.every(task => task.pinned) })
    },
    [CommandIDs.copyId]: {
      label: trans.__('Copy ID'),
      caption: trans.__('Copy the ID of the task'),
      icon: copyIcon,
      run: tasks => Clipboard.copyToSystem(ids(tasks).join('\n'))
    },
    [CommandIDs.copyCommand]: {
      label: trans.__('Copy Command'),
      caption: trans.__('Copy the command of the task as a shell command line'),
      icon: copyIcon,
      run: tasks => Clipboard.copyToSystem(tasks.map(shellLine).join('\n'))
    },
    [CommandIDs.copyOutputPath]: {
      label: trans.__('Copy Output Path'),
      caption: trans.__('Copy the path of the task output on the server'),
      icon: copyIcon,
      run: tasks => Clipboard.copyToSystem(tasks.map(task => task.output.directory).join('\n'))
    },
    [CommandIDs.download]: {
      label: trans.__('Download Output'),
      caption: trans.__('Download the stored output of the task'),
      icon: downloadIcon,
      run: tasks => tasks.forEach(task => download(api.downloadUrl(task.id)))
    },
    [CommandIDs.downloadRecording]: {
      label: trans.__('Download Recording'),
      caption: trans.__('Download a recording of the terminal, for asciinema and other players'),
      icon: downloadIcon,
      run: tasks => tasks.forEach(task => download(api.recordingUrl(task.id)))
    },
    [CommandIDs.exportTask]: {
      label: trans.__('Export'),
      caption: trans.__(
        'Download the task as a file that can be imported, without its environment'
      ),
      icon: downloadIcon,
      fits: isEnded,
      run: tasks => tasks.forEach(task => download(api.exportUrl(task.id)))
    },
    [CommandIDs.deleteTasks]: {
      label: trans.__('Delete…'),
      caption: trans.__('Delete the task and its output; a running task can be stopped first'),
      icon: closeIcon,
      run: async tasks => {
        const decision = await (await dialogs()).delete(tasks);
        if (decision === 'delete') {
          await each(tasks, task => api.delete(task.id, !isEnded(task)));
        } else if (decision === 'stop') {
          await each(
            tasks.filter(task => !isEnded(task)),
            task => api.stop(task.id)
          );
        }
      }
    }
  };
}

function ids(tasks: readonly ITask[]): string[] {
  return tasks.map(task => task.id);
}

function shellLine(task: ITask): string {
  return typeof task.command === 'string' ? task.command : lineOf(task.command);
}

function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  document.body.appendChild(link);
  link.click();
  link.remove();
}
