/** Adds the details tab of a task, and the dialog that shows the differences between two tasks. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { infoIcon } from '@jupyterlab/ui-components';

import { argumentsOf, TASKS } from '../commands/args';
import { addDifferencesCommand } from '../commands/differences';
import { commandIfPresent, taskCommandIfPresent } from '../commands/ifpresent';
import { CommandIDs, ITaskModel, ITasksPanel } from '../tokens';
import type { DetailsTab } from '../widgets/details/tab';
import { currentTasks } from './current';

export const detailsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:details',
  description: 'Shows what a background task is: command, commit, attempts, notes.',
  autoStart: true,
  requires: [ITaskModel, IRenderMimeRegistry],
  optional: [ITasksPanel, ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    rendermime: IRenderMimeRegistry,
    panel: ITasksPanel | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const tracker = new WidgetTracker<DetailsTab>({ namespace: 'ptytasks-details' });

    const create = async (id: string): Promise<DetailsTab> => {
      const { DetailsTab } = await import('../widgets/details/tab');
      const there = tracker.find(tab => tab.taskId === id);
      if (there) {
        return there;
      }
      const tab = new DetailsTab({
        id,
        model,
        rendermime,
        actions: {
          terminal: commandIfPresent(commands, CommandIDs.open, { id }),
          editAgain: commandIfPresent(commands, CommandIDs.editAgain, { id }),
          open: taskCommandIfPresent(commands, CommandIDs.details)
        },
        translator: translator ?? nullTranslator
      });
      shell.add(tab, 'main', { type: 'Task Details', activate: false });
      void tracker.add(tab);
      return tab;
    };

    const targets = (args: Parameters<typeof argumentsOf>[0]): string[] =>
      argumentsOf(args) ?? currentTasks(shell, model, panel).map(task => task.id);
    commands.addCommand(CommandIDs.details, {
      label: trans.__('Details'),
      caption: trans.__('Show details of the task: command, commit, attempts, notes'),
      icon: infoIcon,
      describedBy: { args: TASKS },
      isEnabled: args => targets(args).length === 1,
      execute: async args => {
        const [id] = targets(args);
        if (id !== undefined) {
          shell.activateById((await create(id)).id);
        }
      }
    });
    addDifferencesCommand(commands, { model, targets, trans });
    for (const command of [CommandIDs.details, CommandIDs.showDifferences]) {
      palette?.addItem({ command, category: trans.__('Tasks') });
    }
    if (restorer) {
      void restorer.restore(tracker, {
        command: CommandIDs.details,
        args: ({ taskId }) => ({ id: taskId }),
        name: ({ taskId }) => taskId
      });
    }
  }
};
