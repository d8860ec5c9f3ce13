/** Creates the renderers of tasks in cell output. They use the model of the plugins or, without plugins (Voilà), their own. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';

import { TaskModel } from '../../services/model';
import { MIME_TYPE, TaskCell } from './cell';

/** Preferred to HTML, which is the fallback for pages without this extension. */
export const RANK = 40;

type Surroundings = Omit<TaskCell.IOptions, 'sanitizer'>;

/** Set by the cell plugin when it is activated, otherwise by the first cell. Called for each cell. */
let surroundings: (() => Surroundings) | undefined;

/** Set the function that returns the model, actions and translator for cells. */
export function provide(provided: () => Surroundings): void {
  surroundings = provided;
}

/** Return the function for a page without our plugins. */
function alone(): () => Surroundings {
  const model = new TaskModel({ serverSettings: ServerConnection.makeSettings() });
  return () => ({ model, translator: nullTranslator, actions: {} });
}

export const rendererFactory: IRenderMime.IRendererFactory = {
  // The bundle is validated, and all of it is rendered as text.
  safe: true,
  mimeTypes: [MIME_TYPE],
  createRenderer: ({ sanitizer }) => {
    surroundings ??= alone();
    return new TaskCell({ ...surroundings(), sanitizer });
  }
};
