/** Cards of the launcher, and entries of the command palette. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../tokens';

/** What concerns the panel and the tasks in it is in the palette by the plugins that add it. */
const IN_PALETTE = [
  CommandIDs.newTask,
  CommandIDs.newShell,
  CommandIDs.open,
  CommandIDs.openReadonly,
  CommandIDs.runFile,
  CommandIDs.runSelection
];

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:launcher',
  description: 'Adds background tasks to the launcher and to the command palette.',
  autoStart: true,
  optional: [ILauncher, ICommandPalette, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    // The launcher has its own names for categories, translated by itself.
    const other = (translator ?? nullTranslator).load('jupyterlab').__('Other');
    const args = { isLauncher: true };
    launcher?.add({ command: CommandIDs.newTask, args, category: other, rank: 2 });
    launcher?.add({ command: CommandIDs.newShell, args, category: other, rank: 3 });
    for (const command of IN_PALETTE) {
      palette?.addItem({ command, category: trans.__('Tasks') });
    }
  }
};
