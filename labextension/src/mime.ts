/** The renderer of tasks as a separate module, which also loads in Voilà: the plugins need services that Voilà lacks. */

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
