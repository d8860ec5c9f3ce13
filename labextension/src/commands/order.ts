/** The commands that change the order of pending tasks. */

import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretUpIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { compareTurns, lineOf } from '../services/queue';
import { isPending, type IPlacing, type ITask } from '../services/types';
import { CommandIDs, type ITaskModel } from '../tokens';
import { argumentsOf, lookUp, TASKS } from './args';

export interface IOrderCommandsOptions {
  commands: CommandRegistry;
  model: ITaskModel;
  trans: TranslationBundle;
  /** Return the tasks for commands without arguments. */
  current: () => readonly ITask[];
  /** Have assistive technologies read a text. */
  announce: (text: string) => void;
}

/** Return where to put the first of `moved`, which are in the order of `line`; null if they cannot be moved that way. */
type Place = (moved: readonly ITask[], line: readonly ITask[]) => IPlacing | null;

const UP: Place = ([first], line) => {
  const before = line[line.findIndex(({ id }) => id === first.id) - 1];
  return before ? { before: before.id } : null;
};

const DOWN: Place = (moved, line) => {
  const last = moved[moved.length - 1];
  const after = line[line.findIndex(({ id }) => id === last.id) + 1];
  return after ? { after: after.id } : null;
};

const FIRST: Place = (moved, line) => (UP(moved, line) ? { to: 'first' } : null);

const MOVE: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    ...(TASKS.properties as ReadonlyJSONObject),
    before: { type: 'string', description: 'The ID of the task to put them before' },
    after: { type: 'string', description: 'The ID of the task to put them after' }
  }
};

export function addOrderCommands(options: IOrderCommandsOptions): IDisposable {
  const { commands, model, trans, current, announce } = options;
  const added = new DisposableSet();

  /** Return the pending tasks that are meant, of the group of the first one, in their order. */
  const targets = (args: ReadonlyPartialJSONObject): ITask[] => {
    const named = argumentsOf(args);
    const tasks = named ? named.flatMap(id => model.get(id) ?? []) : [...current()];
    const pending = tasks.filter(isPending);
    return pending.filter(({ group }) => group === pending[0].group).sort(compareTurns);
  };

  const move = async (tasks: readonly ITask[], where: IPlacing): Promise<void> => {
    const [first] = tasks;
    try {
      await model.api.move(first.id, where);
      for (const [at, { id }] of tasks.slice(1).entries()) {
        await model.api.move(id, { after: tasks[at].id });
      }
    } catch (error) {
      await showErrorMessage(trans.__('The task could not be moved'), error as Error);
    } finally {
      await model.refresh();
    }
    const place = lineOf(model.tasks, first.group).findIndex(({ id }) => id === first.id);
    if (place >= 0) {
      announce(trans.__('%1 is number %2 in the queue of %3', first.name, place + 1, first.group));
    }
  };

  const add = (command: string, label: string, caption: string, icon: LabIcon, place: Place) => {
    const placeOf = (tasks: readonly ITask[]) =>
      tasks.length > 0 ? place(tasks, lineOf(model.tasks, tasks[0].group)) : null;
    added.add(
      commands.addCommand(command, {
        label,
        caption,
        icon,
        describedBy: { args: TASKS },
        isEnabled: args => placeOf(targets(args)) !== null,
        isVisible: args => targets(args).length > 0,
        execute: async args => {
          await lookUp(model, argumentsOf(args) ?? []);
          const tasks = targets(args);
          const where = placeOf(tasks);
          if (where) {
            await move(tasks, where);
          }
        }
      })
    );
  };
  add(
    CommandIDs.moveUp,
    trans.__('Move Up'),
    trans.__('Let the task start before the one above it'),
    caretUpIcon,
    UP
  );
  add(
    CommandIDs.moveDown,
    trans.__('Move Down'),
    trans.__('Let the task start after the one below it'),
    caretDownIcon,
    DOWN
  );
  add(
    CommandIDs.moveFirst,
    trans.__('Move to Top'),
    trans.__('Let the task start before all others of its group'),
    caretUpIcon,
    FIRST
  );
  added.add(
    commands.addCommand(CommandIDs.move, {
      label: trans.__('Move Task'),
      caption: trans.__('Let the task start before or after another one of its group'),
      describedBy: { args: MOVE },
      isEnabled: args => targets(args).length > 0,
      execute: async args => {
        await lookUp(model, argumentsOf(args) ?? []);
        const tasks = targets(args);
        const { before, after } = args;
        if (tasks.length > 0 && typeof before === 'string') {
          await move(tasks, { before });
        } else if (tasks.length > 0 && typeof after === 'string') {
          await move(tasks, { after });
        }
      }
    })
  );
  return added;
}
