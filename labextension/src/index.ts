/** The plugins of the extension. */

import { modelPlugin } from './plugins/model';

export default [modelPlugin];
