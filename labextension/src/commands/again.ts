/** The command that runs a task again, with changes. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { redoIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { standings } from '../services/queue';
import type { RecentCommands } from '../services/recentcommands';
import type { ITask } from '../services/types/tasks';
import { CommandIDs, type ITaskModel } from '../tokens';
import { argumentsOf, lookUp, TASKS } from './args';
import { createIn, openTerminal, placesOf, queuesOf } from './start';

export interface IAgainOptions {
  model: ITaskModel;
  history: RecentCommands;
  trans: TranslationBundle;
  /** Return the tasks for the command without arguments. */
  current: () => readonly ITask[];
  chooseDirectory?: (cwd: string) => Promise<string | null>;
}

export function addAgainCommand(commands: CommandRegistry, options: IAgainOptions): void {
  const { model, history, trans, current } = options;
  commands.addCommand(CommandIDs.editAgain, {
    label: trans.__('Edit and Run Again…'),
    caption: trans.__('Start a new task like this one, with changes'),
    icon: redoIcon,
    describedBy: { args: TASKS },
    isEnabled: args => {
      const named = argumentsOf(args);
      const tasks = named?.flatMap(id => model.get(id) ?? []) ?? current();
      return tasks.length === 1 && tasks[0].kind === 'command';
    },
    execute: async args => {
      const named = argumentsOf(args);
      const [task] = named ? await lookUp(model, named) : current();
      if (!task) {
        return;
      }
      const [before, all, { askForTask }, { againChanges, againForm }, { requestOf }] =
        await Promise.all([
          history.load(),
          placesOf(model),
          import('../widgets/dialogs/newtask'),
          import('../forms/again'),
          import('../forms/requests')
        ]);
      const queues = queuesOf(model);
      const names = queues.map(({ group }) => group.name);
      const form = againForm(task, names);
      // If the place of the task is not available, offer no choice: the new task keeps it.
      const places = all.some(({ name }) => name === task.place) ? all : [];
      const answer = await askForTask({
        form,
        like: task.name,
        commands: before.commands,
        groups: [...standings(model.tasks, model.groups).keys()].filter(
          name => !names.includes(name)
        ),
        tasks: [],
        queues,
        places,
        optionsOf: place => model.api.placeOptions(place),
        openTerminal: before.openTerminal,
        trans,
        start: (request, group) =>
          createIn(model, request, group, changed =>
            model.api.again(task.id, againChanges(requestOf(form, trans, places), changed))
          ),
        chooseDirectory: options.chooseDirectory
      });
      if (!answer) {
        return;
      }
      void model.refresh();
      await history.setOpenTerminal(answer.openTerminal);
      if (answer.openTerminal) {
        await openTerminal(commands, answer.task);
      }
    }
  });
}
