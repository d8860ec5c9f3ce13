import type { IStateDB } from '@jupyterlab/statedb';
import { Signal } from '@lumino/signaling';

import { SeenTasks } from '../services/seen';
import type { State } from '../services/types/states';
import { taskSchema, type ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';
import sample from '../../../tests/contract/task.json';

const NOW = Date.parse('2026-11-21T12:00:00Z');

function task(id: string, state: State, changes: Partial<ITask> = {}): ITask {
  const ended = '2026-11-20T12:00:00Z';
  return { ...taskSchema.parse(sample), id, state, ended, attempt: 1, ...changes };
}

describe('SeenTasks', () => {
  let model: { tasks: readonly ITask[]; changed: Signal<unknown, void> };
  let kept: unknown;
  let seen: SeenTasks;
  const ids = () => seen.unseen.map(({ id }) => id);
  const tell = (...tasks: ITask[]) => {
    model.tasks = tasks;
    model.changed.emit();
  };
  /** A page with what the last one has kept. */
  const load = async () => {
    const state = {
      fetch: async () => kept,
      save: async (_: string, value: unknown) => {
        kept = value;
      }
    };
    seen = new SeenTasks(model as unknown as ITaskModel, state as unknown as IStateDB);
    await jest.advanceTimersByTimeAsync(0);
  };

  beforeEach(async () => {
    jest.useFakeTimers({ now: NOW });
    kept = undefined;
    model = { tasks: [], changed: new Signal<unknown, void>({}) };
    await load();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('counts what failed within a week, and nothing else', () => {
    tell(
      task('failed', 'failed'),
      task('late', 'timed_out'),
      task('well', 'succeeded'),
      task('stopped', 'cancelled'),
      task('on', 'running', { ended: null }),
      task('old', 'failed', { ended: '2026-11-13T12:00:00Z' })
    );
    expect(ids()).toEqual(['failed', 'late']);
  });

  it('forgets what was looked at, also on the next page, until it fails again', async () => {
    const looked: (readonly string[])[] = [];
    seen.looked.connect((_, ids) => looked.push(ids));
    tell(task('a', 'failed'), task('b', 'lost'), task('c', 'succeeded'));
    seen.see(['a', 'c']);
    expect(ids()).toEqual(['b']);
    expect(looked).toEqual([['a', 'c']]);
    await load();
    expect(ids()).toEqual(['b']);
    tell(task('a', 'failed', { attempt: 2 }), task('b', 'lost'));
    expect(ids()).toEqual(['a', 'b']);
  });

  it('keeps nothing of tasks that are gone', () => {
    tell(task('a', 'failed'), task('b', 'failed'));
    seen.see(['a']);
    tell(task('b', 'failed'));
    seen.see(['b']);
    expect(kept).toEqual({ seen: ['b/1'] });
  });

  it('takes what is kept and makes no sense for nothing', async () => {
    kept = { seen: 7 };
    tell(task('a', 'failed'));
    await load();
    expect(ids()).toEqual(['a']);
  });
});
