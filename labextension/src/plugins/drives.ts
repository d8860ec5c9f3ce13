/** Which contents paths are paths on the server. */

import type { Contents } from '@jupyterlab/services';

/** Drives with the paths of the server: the default one, and the one for real-time collaboration. */
const OWN_DRIVES = ['', 'RTC'];

export function isOnServer(contents: Contents.IManager, path: string): boolean {
  return OWN_DRIVES.includes(contents.driveName(path));
}
