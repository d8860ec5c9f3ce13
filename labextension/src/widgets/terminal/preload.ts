/** Prepares the page for its first terminal, which takes longer than later ones: loads the modules, and draws a hidden one. */

import type { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { StillConnection } from '../../terminal/still';
import { watch } from '../../terminal/xterm';
import { TaskScreen } from './screen';

/** Milliseconds in which a visible page draws. */
const PATIENCE = 1000;

/**
 * Make JupyterLab load xterm.js, as it does for its first terminal. Then draw a hidden terminal when the page is idle, unless
 * `isWanted` says no: this makes the browser compile the code, and the shaders for the GPU.
 */
export async function preload(
  serverSettings: ServerConnection.ISettings,
  isWanted: () => boolean
): Promise<void> {
  const connection = new StillConnection('', serverSettings);
  const terminal = new TaskScreen(connection, {}, nullTranslator);
  const place = hiddenPlace();
  try {
    await terminal.ready;
    await pause();
    if (isWanted()) {
      document.body.append(place);
      Widget.attach(terminal, place);
      const drawn = new Promise<void>(resolve => watch(terminal, resolve, () => undefined));
      connection.show('ready\r\n');
      terminal.open();
      await Promise.race([drawn, new Promise(resolve => setTimeout(resolve, PATIENCE))]);
      // xterm.js (5.5, Viewport.ts) accesses the opened terminal a moment later.
      await pause();
    }
  } finally {
    terminal.dispose();
    connection.dispose();
    place.remove();
  }
}

/** Return an element inside the viewport, where a terminal must be to be drawn, that is invisible and inert. */
function hiddenPlace(): HTMLElement {
  const place = document.createElement('div');
  Object.assign(place.style, {
    height: '100px',
    left: '0',
    position: 'fixed',
    top: '0',
    visibility: 'hidden',
    width: '300px'
  });
  place.inert = true;
  return place;
}

/** Resolves when the page has nothing else to do. */
function pause(): Promise<void> {
  // Safari lacks this function.
  const call = window.requestIdleCallback as typeof window.requestIdleCallback | undefined;
  return new Promise(resolve => (call ? call(() => resolve()) : setTimeout(resolve)));
}
