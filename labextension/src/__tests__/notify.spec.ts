import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { CompletionNotifier, isWorthNotifying, type INotice } from '../services/completions';
import { taskSchema, type ITask, type State } from '../services/types';
import type { IStateChange, ITaskModel } from '../tokens';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const running = taskSchema.parse(sample);

function ended(state: State, changes: Partial<ITask> = {}): ITask {
  const exit = { code: state === 'succeeded' ? 0 : 3, signal: null };
  return { ...running, state, exit, ended: '2026-11-21T12:00:00.000Z', ...changes };
}

function changed(task: ITask): IStateChange {
  return { task, previous: 'running' };
}

describe('isWorthNotifying', () => {
  it.each<[State, boolean, boolean]>([
    ['running', false, false],
    ['stopping', false, false],
    ['cancelled', false, false],
    ['succeeded', true, false],
    ['failed', true, true],
    ['timed_out', true, true],
    ['lost', true, true]
  ])('%s: of all %s, of failures %s', (state, all, failures) => {
    const change = changed(ended(state));
    expect(isWorthNotifying(change, 'all')).toBe(all);
    expect(isWorthNotifying(change, 'failures')).toBe(failures);
    expect(isWorthNotifying(change, 'none')).toBe(false);
  });

  it('is silent about shells', () => {
    expect(isWorthNotifying(changed(ended('failed', { kind: 'shell' })), 'all')).toBe(false);
  });
});

describe('CompletionNotifier', () => {
  let shown: INotice[];
  let lookedAt: string | null;
  let tail: jest.Mock;
  let known: (id: string) => ITask | undefined;
  let end: (...tasks: ITask[]) => Promise<void>;

  beforeEach(() => {
    jest.useFakeTimers();
    shown = [];
    lookedAt = null;
    known = () => running;
    tail = jest.fn().mockResolvedValue({ output: 'loading\nValueError: no data\n \n' });
    const owner = {};
    const stateChanged = new Signal<object, IStateChange>(owner);
    new CompletionNotifier({
      model: {
        stateChanged,
        api: { tail },
        get: (id: string) => known(id)
      } as unknown as ITaskModel,
      trans,
      notify: () => 'all',
      isLookedAt: async id => id === lookedAt,
      show: notice => shown.push(notice)
    });
    end = async (...tasks) => {
      tasks.forEach(task => stateChanged.emit(changed(task)));
      await jest.advanceTimersByTimeAsync(1000);
    };
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('reports a success', async () => {
    await end(ended('succeeded'));
    expect(shown).toEqual([{ kind: 'success', id: running.id, message: '“train” succeeded' }]);
    expect(tail).not.toHaveBeenCalled();
  });

  it('says how it failed, with the last meaningful line', async () => {
    await end(ended('failed'));
    const message = '“train” failed (exit 3): ValueError: no data';
    expect(shown).toEqual([{ kind: 'error', id: running.id, message, isExplained: false }]);
  });

  it('reports why it failed, and requests no line then', async () => {
    await end(ended('failed', { state_message: 'ValueError: bad rate (train.py:12)' }));
    expect(shown[0].message).toBe('“train” failed (exit 3): ValueError: bad rate (train.py:12)');
    expect(shown[0].isExplained).toBe(true);
    expect(tail).not.toHaveBeenCalled();
  });

  it('reports a failure whose output is not available', async () => {
    tail.mockRejectedValue(new Error('gone'));
    await end(ended('timed_out'));
    expect(shown[0].message).toBe('“train” timed out');
  });

  it('is silent about what is looked at', async () => {
    lookedAt = running.id;
    await end(ended('failed'));
    expect(shown).toEqual([]);
  });

  it('asks nothing of a task that has been deleted meanwhile', async () => {
    known = () => undefined;
    await end(ended('failed'));
    expect(shown[0].message).toBe('“train” failed (exit 3)');
    expect(tail).not.toHaveBeenCalled();
  });

  it('waits for the terminal of a task that ended right after its start', async () => {
    const quick = ended('failed', { ended: running.started });
    await end(quick);
    lookedAt = running.id;
    await jest.advanceTimersByTimeAsync(3000);
    expect(shown).toEqual([]);
    lookedAt = null;
    await end(quick);
    expect(shown).toEqual([]);
    await jest.advanceTimersByTimeAsync(3000);
    expect(shown).toHaveLength(1);
  });

  it('reports many at once', async () => {
    const tasks = ['a', 'b', 'c', 'd'].map(id => ended('succeeded', { id }));
    await end(...tasks);
    await end(...tasks.map(task => ({ ...task, state: 'failed' as const })));
    expect(shown).toEqual([
      { kind: 'success', message: '4 tasks succeeded' },
      { kind: 'error', message: '4 tasks ended; 4 failed' }
    ]);
  });
});
