/** Formats the warnings of a task. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from './times';
import { isActive } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

/** Return the warnings of a task in words, with the time since the first one at `now` (milliseconds, the server's). */
export function warningText(task: Pick<ITask, 'warnings'>, now: number): string {
  return task.warnings
    .map(({ message, since }) =>
      since ? `${message} (${duration(Math.max(0, now - Date.parse(since)))})` : message
    )
    .join('\n');
}

/** Return a word for the most important warning; empty if there is none. */
export function warningLabel(task: Pick<ITask, 'warnings'>, trans: TranslationBundle): string {
  const [first] = task.warnings;
  if (!first) {
    return '';
  }
  const words: Record<string, string> = {
    stalled: trans.__('stalled'),
    not_a_number: trans.__('not a number')
  };
  // A newer server may have other kinds of warnings.
  return words[first.kind] ?? trans.__('warning');
}

/** Return a key of the warnings that a notification is about; empty if the task has none, or has ended with them. */
export function warningKey(task: ITask): string {
  const words = task.warnings.map(({ kind, since }) => `${kind} ${since}`);
  return words.length > 0 && isActive(task) ? [task.attempt, ...words].join(' ') : '';
}

/** Return the message of a notification about the warnings of a task. */
export function warningMessage(
  task: Pick<ITask, 'name' | 'warnings'>,
  trans: TranslationBundle
): string {
  const words = task.warnings.map(({ message }) => message).join('; ');
  return trans.__('“%1”: %2', task.name, words);
}
