/** Formats what a program is waiting for, and the possible answers. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { isActive } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

/** Matches the keys that a prompt offers: `[y/N]`, `(y/n/q)`. */
const OFFER = /[[(]([a-z](?:[/|][a-z])+)[\])]/i;

/** The most characters of a name in a message that JupyterLab cuts off at 140. */
const NAME = 40;

/**
 * Return what the program of a task asks for: `Proceed? [y/N]`, or what kind of input it waits for if it has no prompt.
 * Empty if it waits for no input, and for a shell at its prompt, which is always there.
 */
export function questionLabel(task: ITask, trans: TranslationBundle): string {
  switch (task.waiting?.kind) {
    case 'line':
      return promptOf(task) || trans.__('Waits for a line');
    case 'password':
      return promptOf(task) || trans.__('Waits for a password');
    case 'keys':
      return promptOf(task) || trans.__('Waits for a key');
    default:
      return '';
  }
}

/** Return the question as a complete message: `“train” asks: Proceed? [y/N]`. */
export function questionMessage(task: ITask, trans: TranslationBundle): string {
  const name = task.name.length > NAME ? `${task.name.slice(0, NAME)}…` : task.name;
  const prompt = promptOf(task);
  if (!prompt) {
    return task.waiting?.kind === 'password'
      ? trans.__('“%1” asks for a password', name)
      : trans.__('“%1” waits for input', name);
  }
  return task.waiting?.sure
    ? trans.__('“%1” asks: %2', name, prompt)
    : trans.__('“%1” probably asks: %2', name, prompt);
}

/** Return a key that distinguishes the question of a task from earlier and later ones; empty if there is none. */
export function questionKey(task: ITask): string {
  const { attempt, waiting } = task;
  return waiting && isActive(task) ? `${attempt} ${waiting.since} ${waiting.kind}` : '';
}

/** Return the key of a question that is worth a notification: those of full-screen programs and of shells are not. */
export function noticeKey(task: ITask): string {
  const { waiting } = task;
  const isWorth =
    waiting !== null &&
    waiting.kind !== 'shell' &&
    (waiting.kind !== 'keys' || waiting.prompt.trim() !== '');
  return isWorth ? questionKey(task) : '';
}

/** Return the single keys that the program offers: `y` and `N` of `Proceed? [y/N]`; none if it reads a whole line. */
export function offeredKeys(task: ITask): string[] {
  if (task.waiting?.kind !== 'keys') {
    return [];
  }
  return OFFER.exec(task.waiting.prompt)?.[1].split(/[/|]/) ?? [];
}

/** Return whether the program can be answered without its terminal: by a line, or by one of few keys. */
export function isAnswerable(task: ITask): boolean {
  const kind = isActive(task) ? task.waiting?.kind : undefined;
  return kind === 'line' || kind === 'password' || offeredKeys(task).length > 0;
}

function promptOf(task: ITask): string {
  return task.waiting?.prompt.trim() ?? '';
}
