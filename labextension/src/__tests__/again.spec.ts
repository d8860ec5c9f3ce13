/** Tests what is sent when a task is run again with changes. */

import { nullTranslator } from '@jupyterlab/translation';

import { againChanges, againForm } from '../forms/again';
import { requestOf, type IForm } from '../forms/requests';
import { placeSchema } from '../services/types/places';
import { taskSchema, type ITask } from '../services/types/tasks';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const task = taskSchema.parse({
  ...sample,
  command: ['python', 'my train.py'],
  group: 'gpu',
  tags: ['a', 'b'],
  timeout: 90
});

const LOCAL_PLACE = { name: 'local', kind: 'local', shares_files: true, queue: true };
const SLURM = { ...LOCAL_PLACE, name: 'slurm', kind: 'slurm', resources: ['cpus', 'time'] };

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

  it('may be where it runs, and what it asks for there', () => {
    const places = [LOCAL_PLACE, SLURM].map(place => placeSchema.parse(place));
    const asking = { ...task, place: 'slurm', resources: { cpus: 4, time: 3600 } };
    const changes = (of: ITask, fields: Partial<IForm>) => {
      const form = againForm(of, []);
      const [before, after] = [form, { ...form, ...fields }].map(one =>
        requestOf(one, trans, places)
      );
      return againChanges(before, after);
    };
    expect(changes(asking, {})).toEqual({});
    expect(changes(asking, { 'resources.cpus': '8' })).toEqual({
      resources: { cpus: 8, time: 3600 }
    });
    expect(changes(asking, { 'resources.cpus': '', 'resources.time': '' })).toEqual({
      resources: null
    });
    expect(changes(asking, { place: 'local' })).toEqual({ place: 'local', resources: null });
    expect(changes(task, { place: 'slurm', 'resources.cpus': '2' })).toEqual({
      place: 'slurm',
      resources: { cpus: 2 }
    });
  });

  it('has no group before one was chosen, for a task of the usual one', () => {
    expect(againForm({ ...task, group: 'default' }, []).group).toBe('');
    expect(againForm(task, ['gpu']).start).toBe('in:gpu');
  });
});
