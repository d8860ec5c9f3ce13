/** Which of Lab's paths are paths of the server. */

import type { Contents } from '@jupyterlab/services';

/** Drives whose paths are those of the server: its own, and the one for editing together. */
const OWN_DRIVES = ['', 'RTC'];

export function isOnServer(contents: Contents.IManager, path: string): boolean {
  return OWN_DRIVES.includes(contents.driveName(path));
}
