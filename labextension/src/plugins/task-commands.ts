/** Adds the commands about tasks, and their palette entries. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';

import { commandIfPresent } from '../commands/ifpresent';
import { addTaskCommands } from '../commands/tasks';
import { CommandIDs, ITaskModel, ITasksPanel } from '../tokens';
import { currentTasks } from './current';

export const taskCommandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:task-commands',
  description: 'Adds the commands that stop, restart, rename and delete background tasks.',
  autoStart: true,
  requires: [ITaskModel, ITranslator],
  optional: [ITasksPanel, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    translator: ITranslator,
    panel: ITasksPanel | null,
    palette: ICommandPalette | null
  ): void => {
    const { commands, shell } = app;
    const trans = translator.load('jupyter_ptytasks');

    addTaskCommands({
      commands,
      model,
      dialogs: async () => {
        const { ConfirmDialogs } = await import('../commands/confirm');
        return new ConfirmDialogs(trans);
      },
      trans,
      current: () => currentTasks(shell, model, panel),
      open: id => commandIfPresent(commands, CommandIDs.open, { id })?.(),
      answer: async task => {
        const { askForAnswer } = await import('../widgets/dialogs/answer');
        await askForAnswer({ task, model, trans });
      }
    });
    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Tasks'),
      caption: trans.__('Reload the tasks from the server'),
      icon: refreshIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => model.refresh()
    });
    model.stateChanged.connect(() => {
      COMMANDS.forEach(id => commands.notifyCommandChanged(id));
    });

    const category = trans.__('Tasks');
    COMMANDS.forEach(command => palette?.addItem({ command, category }));
  }
};

const COMMANDS: readonly string[] = [
  CommandIDs.refresh,
  CommandIDs.stop,
  CommandIDs.kill,
  CommandIDs.endLeftover,
  CommandIDs.hold,
  CommandIDs.release,
  CommandIDs.answer,
  CommandIDs.pause,
  CommandIDs.resume,
  CommandIDs.restart,
  CommandIDs.runAgain,
  CommandIDs.rename,
  CommandIDs.editTags,
  CommandIDs.addTags,
  CommandIDs.removeTags,
  CommandIDs.copyId,
  CommandIDs.copyCommand,
  CommandIDs.copyOutputPath,
  CommandIDs.download,
  CommandIDs.downloadRecording,
  CommandIDs.exportTask,
  CommandIDs.deleteTasks
];
