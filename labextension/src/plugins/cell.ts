/** Connects the tasks in cell output to the model and the commands; mime.ts renders them. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { taskCommandIfPresent } from '../commands/ifpresent';
import { openMenu } from '../commands/menu';
import { CommandIDs, ITaskModel } from '../tokens';
import { provide } from '../widgets/cell/factory';

/** Commands besides the buttons, in groups. */
const MENU: readonly (readonly string[])[] = [
  [CommandIDs.details, CommandIDs.showMetrics],
  [CommandIDs.runAgain, CommandIDs.editAgain]
];

export const cellPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:cell',
  description: 'Adds live data and buttons to background tasks in cell output.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ITranslator],
  activate: (
    { commands }: JupyterFrontEnd,
    model: ITaskModel,
    translator: ITranslator | null
  ): void => {
    provide(() => ({
      model,
      translator: translator ?? nullTranslator,
      actions: {
        open: taskCommandIfPresent(commands, CommandIDs.open),
        showReason: taskCommandIfPresent(commands, CommandIDs.showReason),
        stop: taskCommandIfPresent(commands, CommandIDs.stop),
        restart: taskCommandIfPresent(commands, CommandIDs.restart),
        menu: MENU.flat().some(command => commands.hasCommand(command))
          ? (id, x, y) => openMenu(commands, MENU, { id }, x, y)
          : undefined
      }
    }));
  }
};
