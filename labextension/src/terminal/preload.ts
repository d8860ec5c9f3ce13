/** Loads what terminals need before the first one is opened: that takes longer than opening it. */

import type { ServerConnection } from '@jupyterlab/services';
import { Terminal } from '@jupyterlab/terminal';

import { StillConnection } from './still';

/** Have JupyterLab load xterm.js, as it does when it makes its first terminal; this one is never shown. */
export async function preload(serverSettings: ServerConnection.ISettings): Promise<void> {
  const connection = new StillConnection('', serverSettings);
  const terminal = new Terminal(connection);
  try {
    await terminal.ready;
  } finally {
    terminal.dispose();
    connection.dispose();
  }
}
