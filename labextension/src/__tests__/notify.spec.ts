import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import {
  CompletionNotifier,
  isWorthNotifying,
  type INotice,
  type IRules
} from '../services/completions';
import type { State } from '../services/types/states';
import { taskSchema, type ITask } from '../services/types/tasks';
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

const ALL: IRules = { notify: 'all', notifyMinimum: 0, quietGroups: [] };

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
    expect(isWorthNotifying(change, ALL)).toBe(all);
    expect(isWorthNotifying(change, { ...ALL, notify: 'failures' })).toBe(failures);
    expect(isWorthNotifying(change, { ...ALL, notify: 'none' })).toBe(false);
  });

  it('is silent about shells', () => {
    expect(isWorthNotifying(changed(ended('failed', { kind: 'shell' })), ALL)).toBe(false);
  });

  it('is silent about short runs and quiet groups, if the user wants that', () => {
    const minute = { started: '2026-11-21T11:59:00.000Z', group: 'sweep' };
    const change = changed(ended('failed', minute));
    expect(isWorthNotifying(change, { ...ALL, notifyMinimum: 60 })).toBe(true);
    expect(isWorthNotifying(change, { ...ALL, notifyMinimum: 61 })).toBe(false);
    expect(isWorthNotifying(change, { ...ALL, quietGroups: ['other'] })).toBe(true);
    expect(isWorthNotifying(change, { ...ALL, quietGroups: ['sweep'] })).toBe(false);
  });
});

describe('CompletionNotifier', () => {
  /** What the notification has said, and null where it was closed. */
  let shown: (INotice | null)[];
  let isOpen: boolean;
  let notifier: CompletionNotifier;
  let lookedAt: string | null;
  let tail: jest.Mock;
  let known: (id: string) => ITask | undefined;
  let end: (...tasks: ITask[]) => Promise<void>;

  beforeEach(() => {
    jest.useFakeTimers();
    shown = [];
    isOpen = false;
    lookedAt = null;
    known = () => running;
    tail = jest.fn().mockResolvedValue({ output: 'loading\nValueError: no data\n \n' });
    const owner = {};
    const stateChanged = new Signal<object, IStateChange>(owner);
    notifier = new CompletionNotifier({
      model: {
        stateChanged,
        api: { tail },
        get: (id: string) => known(id)
      } as unknown as ITaskModel,
      trans,
      rules: () => ALL,
      isLookedAt: async id => id === lookedAt,
      toast: {
        get isOpen() {
          return isOpen;
        },
        show: notice => {
          isOpen = true;
          shown.push(notice);
        },
        close: () => {
          isOpen = false;
          shown.push(null);
        }
      }
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
    expect(shown).toEqual([{ kind: 'success', ids: [running.id], message: '“train” succeeded' }]);
    expect(tail).not.toHaveBeenCalled();
  });

  it('says how it failed, with the last meaningful line', async () => {
    await end(ended('failed'));
    const message = '“train” failed (exit 3): ValueError: no data';
    expect(shown).toEqual([{ kind: 'error', ids: [running.id], message, isExplained: false }]);
  });

  it('reports why it failed, and requests no line then', async () => {
    await end(ended('failed', { state_message: 'ValueError: bad rate (train.py:12)' }));
    expect(shown[0]?.message).toBe('“train” failed (exit 3): ValueError: bad rate (train.py:12)');
    expect(shown[0]?.isExplained).toBe(true);
    expect(tail).not.toHaveBeenCalled();
  });

  it('reports a failure whose output is not available', async () => {
    tail.mockRejectedValue(new Error('gone'));
    await end(ended('timed_out'));
    expect(shown[0]?.message).toBe('“train” timed out');
  });

  it('is silent about what is looked at', async () => {
    lookedAt = running.id;
    await end(ended('failed'));
    expect(shown).toEqual([]);
  });

  it('asks nothing of a task that has been deleted meanwhile', async () => {
    known = () => undefined;
    await end(ended('failed'));
    expect(shown[0]?.message).toBe('“train” failed (exit 3)');
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

  it('says nothing of what was looked at until it could be said', async () => {
    const started = new Date(Date.now()).toISOString();
    const quick = ended('failed', { id: 'quick', started, ended: started, state_message: 'bad' });
    await end(quick);
    notifier.see(['quick']);
    await jest.advanceTimersByTimeAsync(3000);
    expect(shown).toEqual([]);
  });

  it('is one notification that is changed, until the user dismisses it', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map(id => ended('succeeded', { id, name: id }));
    const failed = { ...b, state: 'failed' as const, exit: { code: 3, signal: null } };
    await end(a);
    await end(failed, c);
    expect(shown[1]).toEqual({
      kind: 'error',
      ids: ['a', 'b', 'c'],
      message:
        '3 tasks ended: 2 succeeded, 1 failed. Latest: “b” failed (exit 3): ValueError: no data'
    });
    isOpen = false;
    await end(a, c);
    expect(shown[2]).toEqual({ kind: 'success', ids: ['a', 'c'], message: '2 tasks succeeded' });
  });

  it('names the one that ended last, in whatever order the changes came', async () => {
    const [a, b] = ['00:00:02', '00:00:01'].map((time, at) =>
      ended('failed', {
        id: `${at}`,
        name: time,
        started: '2020-01-01T00:00:00.000Z',
        ended: `2020-01-01T01:${time.slice(3)}.000Z`
      })
    );
    await end(a, b);
    expect(shown[0]?.ids).toEqual(['1', '0']);
    expect(shown[0]?.message).toContain('Latest: “00:00:02” failed');
  });

  it('says no more of what the user looks at', async () => {
    const [a, b] = ['a', 'b'].map(id => ended('failed', { id, name: id, state_message: 'bad' }));
    await end(a, b);
    expect(shown[0]?.message).toBe('2 tasks failed. Latest: “b” failed (exit 3): bad');
    notifier.see(['b', 'other']);
    await jest.advanceTimersByTimeAsync(0);
    expect(shown[1]?.message).toBe('“a” failed (exit 3): bad');
    notifier.see(['a']);
    await jest.advanceTimersByTimeAsync(0);
    expect(shown[2]).toBeNull();
    notifier.see(['a', 'b']);
    await end(a);
    expect(shown.slice(3).map(notice => notice?.ids)).toEqual([['a']]);
  });
});
