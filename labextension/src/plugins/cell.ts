/** Draws the tasks that cells of notebooks refer to. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { taskCommandIfPresent } from '../commands/ifpresent';
import { CommandIDs, ITaskModel } from '../tokens';
import { MIME_TYPE, TaskCell } from '../widgets/cell/cell';

/** Before HTML, which is for where this is not installed. */
const RANK = 40;

export const cellPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:cell',
  description: 'Draws background tasks in the output of cells.',
  autoStart: true,
  requires: [ITaskModel, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    { commands }: JupyterFrontEnd,
    model: ITaskModel,
    renderers: IRenderMimeRegistry,
    translator: ITranslator | null
  ): void => {
    renderers.addFactory(
      {
        // What comes from the file is checked, and drawn as text.
        safe: true,
        mimeTypes: [MIME_TYPE],
        createRenderer: ({ sanitizer }) =>
          new TaskCell({
            model,
            sanitizer,
            translator: translator ?? nullTranslator,
            actions: {
              open: taskCommandIfPresent(commands, CommandIDs.open),
              stop: taskCommandIfPresent(commands, CommandIDs.stop),
              restart: taskCommandIfPresent(commands, CommandIDs.restart)
            }
          })
      },
      RANK
    );
  }
};
