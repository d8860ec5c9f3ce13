/** What a program waits for, in words. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITask } from '../services/types';

/**
 * Return what the program of a task asks for: `Proceed? [y/N]`, or what kind of input it waits for if it has no prompt.
 * Empty if it waits for no input, and for a shell at its prompt, which is always there.
 */
export function questionLabel(task: ITask, trans: TranslationBundle): string {
  switch (task.waiting?.kind) {
    case 'line':
      return task.waiting.prompt.trim() || trans.__('Waits for a line');
    case 'password':
      return task.waiting.prompt.trim() || trans.__('Waits for a password');
    case 'keys':
      return task.waiting.prompt.trim() || trans.__('Waits for a key');
    default:
      return '';
  }
}
