/** Tests what is sent when a task is run again with changes. */

import { nullTranslator } from '@jupyterlab/translation';

import { againChanges, againForm } from '../forms/again';
import { requestOf, type IForm } from '../forms/requests';
import { taskSchema } from '../services/types/tasks';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const task = taskSchema.parse({
  ...sample,
  command: ['python', 'my train.py'],
  group: 'gpu',
  tags: ['a', 'b'],
  timeout: 90
});

/** Return what is sent when these values are changed in the dialog. */
function changed(changes: Partial<IForm>): object {
  const form = againForm(task, []);
  return againChanges(requestOf(form, trans), requestOf({ ...form, ...changes }, trans));
}

describe('what differs from the task', () => {
  it('is nothing if nothing was changed: the list of arguments stays one', () => {
    expect(changed({})).toEqual({});
  });

  it('is what was changed, and only that', () => {
    expect(changed({ command: 'python other.py', name: 'b' })).toEqual({
      command: 'python other.py',
      name: 'b'
    });
    expect(changed({ env: 'SEED=2' })).toEqual({ env: { SEED: '2' } });
  });

  it('may be that something is gone', () => {
    expect(changed({ tags: '', group: '', timeout: '' })).toEqual({
      tags: [],
      group: 'default',
      timeout: null
    });
  });

  it('has no group before one was chosen, for a task of the usual one', () => {
    expect(againForm({ ...task, group: 'default' }, []).group).toBe('');
    expect(againForm(task, ['gpu']).start).toBe('in:gpu');
  });
});
