import { nullTranslator } from '@jupyterlab/translation';

import { exitLabel, when } from '../format/times';
import { taskSchema, type ITask } from '../services/types/tasks';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const task: ITask = taskSchema.parse(sample);

describe('format', () => {
  it('says how long a live task has run, and how long ago one ended', () => {
    const started = Date.parse(task.started ?? '');
    expect(when(task, started + 61_000, trans)).toBe('1m 01s');
    const ended: ITask = { ...task, state: 'failed', ended: task.started };
    expect(when(ended, started + 1_000, trans)).toBe('just now');
    expect(when(ended, started + 61_000, trans)).toBe('1m 01s ago');
  });

  it('names the exit', () => {
    expect(exitLabel(task, trans)).toBe('');
    expect(exitLabel({ ...task, exit: { code: 3, signal: null } }, trans)).toBe('exit 3');
    expect(exitLabel({ ...task, exit: { code: null, signal: 'SIGKILL' } }, trans)).toBe('SIGKILL');
  });
});
