/** The commands that change the order of pending tasks. */

import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretUpIcon, editIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { compareTurns, lineOf, standings } from '../services/queue';
import type { IPlacing } from '../services/types/requests';
import { isPending } from '../services/types/states';
import type { ITask } from '../services/types/tasks';
import { CommandIDs, type ITaskModel } from '../tokens';
import { argumentsOf, lookUp, TASKS } from './args';

export interface IOrderCommandsOptions {
  commands: CommandRegistry;
  model: ITaskModel;
  trans: TranslationBundle;
  /** Return the tasks for commands without arguments. */
  current: () => readonly ITask[];
  /** Announce a text to users of screen readers. */
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
    after: { type: 'string', description: 'The ID of the task to put them after' },
    to: { type: 'string', enum: ['first', 'last'], description: 'Before or after all others' },
    group: { type: 'string', description: 'The group to move them to (default: their own)' }
  }
};

const MOVE_TO_GROUP: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    ...(TASKS.properties as ReadonlyJSONObject),
    group: { type: 'string', description: 'The group to move them to (default: ask)' }
  }
};

export function addOrderCommands(options: IOrderCommandsOptions): IDisposable {
  const { commands, model, trans, current, announce } = options;
  const added = new DisposableSet();

  /** Return the selected pending tasks that are in the group of the first one, in order. */
  const targets = (args: ReadonlyPartialJSONObject): ITask[] => {
    const named = argumentsOf(args);
    const tasks = named ? named.flatMap(id => model.get(id) ?? []) : [...current()];
    const pending = tasks.filter(isPending);
    return pending.filter(({ group }) => group === pending[0].group).sort(compareTurns);
  };

  const move = async (tasks: readonly ITask[], where: IPlacing): Promise<void> => {
    const [first] = tasks;
    const { group = first.group } = where;
    const there = where.group === undefined ? {} : { group };
    try {
      await model.api.move(first.id, where);
      for (const [at, { id }] of tasks.slice(1).entries()) {
        // Its neighbor may have been started meanwhile.
        const isLast = 'to' in where && where.to === 'last';
        await model.api.move(id, isLast ? where : { after: tasks[at].id, ...there });
      }
    } catch (error) {
      await showErrorMessage(trans.__('The task could not be moved'), error as Error);
    } finally {
      await model.refresh();
    }
    const place = lineOf(model.tasks, group).findIndex(({ id }) => id === first.id);
    if (place >= 0) {
      announce(trans.__('%1 is number %2 in the queue of %3', first.name, place + 1, group));
    }
  };

  /** Return the group that the user chooses for tasks; null if the dialog is canceled. */
  const ask = async ([first, ...more]: readonly ITask[]): Promise<string | null> => {
    const names = [...standings(model.tasks, model.groups).keys()];
    const { value } = await InputDialog.getItem({
      title: trans._n(
        'Move %2 to a group',
        'Move %1 tasks to a group',
        more.length + 1,
        first.name
      ),
      label: trans.__('Group'),
      items: names.filter(name => name !== first.group),
      editable: true,
      okLabel: trans.__('Move')
    });
    return value;
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
      caption: trans.__('Let the task start before or after another one'),
      describedBy: { args: MOVE },
      isEnabled: args => targets(args).length > 0,
      execute: async args => {
        await lookUp(model, argumentsOf(args) ?? []);
        const tasks = targets(args);
        const { before, after, to } = args;
        const there = typeof args.group === 'string' ? { group: args.group } : {};
        if (tasks.length > 0 && typeof before === 'string') {
          await move(tasks, { before, ...there });
        } else if (tasks.length > 0 && typeof after === 'string') {
          await move(tasks, { after, ...there });
        } else if (tasks.length > 0 && (to === 'first' || to === 'last')) {
          await move(tasks, { to, ...there });
        }
      }
    })
  );
  added.add(
    commands.addCommand(CommandIDs.moveToGroup, {
      label: trans.__('Move to Group…'),
      caption: trans.__('Let the task wait in the queue of another group'),
      icon: editIcon,
      describedBy: { args: MOVE_TO_GROUP },
      isEnabled: args => targets(args).length > 0,
      isVisible: args => targets(args).length > 0,
      execute: async args => {
        const tasks = targets(args);
        if (tasks.length > 0) {
          const given = typeof args.group === 'string' ? args.group : await ask(tasks);
          const group = given?.trim();
          if (group && group !== tasks[0].group) {
            await move(tasks, { to: 'last', group });
          }
        }
      }
    })
  );
  return added;
}
