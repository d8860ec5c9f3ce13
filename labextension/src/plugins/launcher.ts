/** Adds cards to the launcher and entries to the command palette. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../tokens';

/** The commands that this plugin adds to the palette; other plugins add their own. */
const IN_PALETTE = [
  CommandIDs.newTask,
  CommandIDs.newShell,
  CommandIDs.open,
  CommandIDs.openReadonly,
  CommandIDs.runFile,
  CommandIDs.queueFile,
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
    // The launcher translates its own categories.
    const other = (translator ?? nullTranslator).load('jupyterlab').__('Other');
    const args = { isLauncher: true };
    launcher?.add({ command: CommandIDs.newTask, args, category: other, rank: 2 });
    launcher?.add({ command: CommandIDs.newShell, args, category: other, rank: 3 });
    for (const command of IN_PALETTE) {
      palette?.addItem({ command, category: trans.__('Tasks') });
    }
  }
};
