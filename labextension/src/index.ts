/** The plugins of the extension. */

import { modelPlugin } from './plugins/model';
import { cellPlugin } from './plugins/cell';
import { cleanUpPlugin } from './plugins/cleanup';
import { sidebarPlugin } from './plugins/sidebar';
import { taskCommandsPlugin } from './plugins/task-commands';
import { detailsPlugin } from './plugins/details';
import { importPlugin } from './plugins/import';
import { filesPlugin } from './plugins/files';
import { launcherPlugin } from './plugins/launcher';
import { metricsPlugin } from './plugins/metrics';
import { notebookPlugin } from './plugins/notebook';
import { notifyPlugin } from './plugins/notify';
import { queuePlugin } from './plugins/queue';
import { runningPlugin } from './plugins/running';
import { runsPlugin } from './plugins/runs';
import { seenPlugin } from './plugins/seen';
import { startPlugin } from './plugins/start';
import { terminalPlugin } from './plugins/terminal';
import { statusbarPlugin } from './plugins/statusbar';

export default [
  modelPlugin,
  cellPlugin,
  cleanUpPlugin,
  terminalPlugin,
  sidebarPlugin,
  taskCommandsPlugin,
  detailsPlugin,
  filesPlugin,
  importPlugin,
  launcherPlugin,
  metricsPlugin,
  notebookPlugin,
  notifyPlugin,
  queuePlugin,
  runningPlugin,
  runsPlugin,
  seenPlugin,
  startPlugin,
  statusbarPlugin
];
