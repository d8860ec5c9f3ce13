/** Adds the commands about groups, sweeps and the order of pending tasks, and their palette entries. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { addGroupCommands } from '../commands/groups';
import { addOrderCommands } from '../commands/order';
import { addSweepCommands } from '../commands/sweeps';
import { CommandIDs, ITaskModel, ITasksPanel } from '../tokens';
import { currentTasks } from './current';

export const queuePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:queue',
  description: 'Adds the commands that pause and resume groups of tasks and change their order.',
  autoStart: true,
  requires: [ITaskModel, ITranslator],
  optional: [ITasksPanel, ICommandPalette],
  activate: (
    { commands, shell }: JupyterFrontEnd,
    model: ITaskModel,
    translator: ITranslator,
    panel: ITasksPanel | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = translator.load('jupyter_ptytasks');
    addOrderCommands({
      commands,
      model,
      trans,
      current: () => currentTasks(shell, model, panel),
      announce: text => panel?.announce(text)
    });
    addGroupCommands({
      commands,
      model,
      trans,
      current: () => (panel?.isVisible ? panel.group : null)
    });
    addSweepCommands({
      commands,
      model,
      trans,
      current: () => (panel?.isVisible ? panel.sweep : null)
    });
    let { groups } = model;
    model.changed.connect(() => {
      // Progress does not affect these commands.
      if (model.groups !== groups) {
        groups = model.groups;
        IN_PALETTE.forEach(id => commands.notifyCommandChanged(id));
      }
    });
    const category = trans.__('Tasks');
    IN_PALETTE.forEach(command => palette?.addItem({ command, category }));
  }
};

const IN_PALETTE: readonly string[] = [
  CommandIDs.moveUp,
  CommandIDs.moveDown,
  CommandIDs.moveFirst,
  CommandIDs.moveToGroup,
  CommandIDs.retrySweep,
  CommandIDs.releaseSweep,
  CommandIDs.cancelSweep,
  CommandIDs.deleteSweep,
  CommandIDs.pauseGroup,
  CommandIDs.resumeGroup,
  CommandIDs.setSlots,
  CommandIDs.retryFailed,
  CommandIDs.forgetGroup
];
