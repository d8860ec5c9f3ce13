/** The renderer of tasks as a module of its own: Voilà loads it, though it lacks what the plugins need. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import { RANK, rendererFactory } from './widgets/cell/factory';

const extension: IRenderMime.IExtension = {
  id: 'jupyter-ptytasks:mime',
  description: 'Renders background tasks in cell output.',
  rendererFactory,
  rank: RANK,
  dataType: 'json'
};

export default extension;
