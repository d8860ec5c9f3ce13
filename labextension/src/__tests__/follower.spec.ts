import { Signal } from '@lumino/signaling';

import { TaskApi, type TaskError } from '../services/api';
import { TaskFollower } from '../services/follower';
import { taskSchema, type ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';
import { FakeServer, type IAnswer, type IRequest } from './fakeserver';
import sample from '../../../tests/contract/task.json';

const task: ITask = taskSchema.parse(sample);
const ended: ITask = { ...task, state: 'failed', ended: '2026-11-21T07:00:00.000Z' };
const reallyLater = window.setTimeout;
const SAMPLE = {
  time: '2026-11-21T06:00:00.000Z',
  cpu: 1,
  rss: 2,
  gpu_memory: null,
  gpu_load: null
};

describe('TaskFollower', () => {
  let answer: (request: IRequest) => IAnswer;
  let server: FakeServer;
  let follower: TaskFollower;
  let known: ITask | undefined;
  let refreshes: number;
  let current: jest.Mock;
  const model = {
    isReady: true,
    error: null as TaskError | null,
    get: () => known,
    unreadable: [],
    current: () => current(),
    refresh: async () => {
      refreshes += 1;
      onRefresh();
    }
  } as unknown as { -readonly [key in keyof ITaskModel]: ITaskModel[key] };
  const changed = new Signal<ITaskModel, void>(model);
  let onRefresh: () => void;

  /** The answer to somebody who asks for the output, which is that. */
  function output(text: string, { query }: IRequest): IAnswer {
    const offset = Math.min(Number(query.get('offset')), text.length);
    const headers = { 'X-Ptytasks-Offset': `${offset}`, 'X-Ptytasks-End': `${text.length}` };
    return { text: text.slice(offset), headers };
  }

  /** Lets time pass, and all that is due in it happen. */
  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 500) {
      await jest.advanceTimersByTimeAsync(500);
      for (let turn = 0; turn < 3; turn++) {
        await new Promise(resolve => reallyLater(resolve, 0));
      }
    }
  }
  const asked = (verb: string) =>
    server.requests.filter(({ path }) => path === `tasks/${task.id}${verb}`).length;
  const tell = (next: ITask | undefined) => {
    known = next;
    changed.emit();
  };

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    known = task;
    refreshes = 0;
    onRefresh = () => undefined;
    current = jest.fn(async () => undefined);
    answer = request =>
      request.path.endsWith('/stats')
        ? { body: { usage: null, interval: 2, samples: [SAMPLE, { ...SAMPLE, cpu: null }] } }
        : output('hello\r\n', request);
    server = new FakeServer(request => answer(request));
    Object.assign(model, {
      isReady: true,
      error: null,
      unreadable: [],
      changed,
      api: new TaskApi(server.settings)
    });
    follower = new TaskFollower({ id: task.id, model, lines: 10 });
  });

  afterEach(() => {
    follower.dispose();
    jest.useRealTimers();
  });

  it('requests nothing before it is visible', async () => {
    changed.emit();
    await pass(10_000);
    expect(server.requests).toEqual([]);
  });

  it('reads on only while it is visible', async () => {
    follower.isActive = true;
    await pass(9_000);
    expect(follower.tail).toBe('hello');
    expect(follower.samples.map(({ cpu }) => cpu)).toEqual([1, null]);
    expect([4, 5]).toContain(asked('/output/raw'));
    expect([2, 3]).toContain(asked('/stats'));
    expect(server.requests.every(({ query }) => query.has('no_track_activity'))).toBe(true);
    expect(server.requests.map(({ query }) => query.get('offset'))).toContain('7');
    follower.isActive = false;
    const before = server.requests.length;
    await pass(10_000);
    expect(server.requests).toHaveLength(before);
    expect(follower.tail).toBe('hello');
  });

  it('reads the end once, and a new attempt again', async () => {
    known = ended;
    follower.isActive = true;
    await pass(10_000);
    expect([asked('/output/raw'), asked('/stats')]).toEqual([1, 0]);
    changed.emit();
    await pass(1_000);
    follower.isActive = false;
    follower.isActive = true;
    await pass(1_000);
    expect(asked('/output/raw')).toBe(1);
    tell({ ...task, attempt: 2 });
    await pass(1_000);
    expect([asked('/output/raw'), asked('/stats')]).toEqual([2, 1]);
  });

  it('reads the last lines at the end of a task, without waiting', async () => {
    follower.isActive = true;
    await pass(500);
    tell(ended);
    await pass(500);
    expect(asked('/output/raw')).toBe(2);
  });

  it('does not ask more often because the task makes progress', async () => {
    follower.isActive = true;
    for (let second = 0; second < 8; second++) {
      tell({ ...task });
      await pass(1_000);
    }
    expect(asked('/output/raw')).toBeLessThan(6);
  });

  it('finds out by the list what has become of a task that is not in it', async () => {
    known = undefined;
    follower.isActive = true;
    await pass(10_000);
    expect([follower.isGone, refreshes]).toEqual([true, 1]);
    follower.isActive = false;
    follower.isActive = true;
    await pass(1_000);
    expect([server.requests, refreshes]).toEqual([[], 1]);
    tell(task);
    expect(follower.isGone).toBe(false);
  });

  it('reads on when the list has heard of a task that is newer', async () => {
    known = undefined;
    onRefresh = () => tell(task);
    follower.isActive = true;
    await pass(1_000);
    expect([follower.isGone, refreshes, follower.tail]).toEqual([false, 1, 'hello']);
  });

  it('does not consider a task deleted that is listed, but cannot be read', async () => {
    known = undefined;
    model.unreadable = [{ id: task.id, label: 'train', fields: ['state'] }];
    follower.isActive = true;
    await pass(10_000);
    expect([follower.isGone, server.requests]).toEqual([false, []]);
  });

  it('asks nothing before there is a list', async () => {
    model.isReady = false;
    follower.isActive = true;
    await pass(5_000);
    expect([server.requests, refreshes]).toEqual([[], 0]);
    model.isReady = true;
    changed.emit();
    await pass(500);
    expect(follower.tail).toBe('hello');
  });

  it('asks nothing for a task that the list still has, but a newer one does not', async () => {
    current.mockImplementation(async () => tell(undefined));
    follower.isActive = true;
    await pass(10_000);
    expect([follower.isGone, server.requests]).toEqual([true, []]);
  });

  it('asks nothing more for a task that has been deleted', async () => {
    follower.isActive = true;
    await pass(1_000);
    const before = server.requests.length;
    tell(undefined);
    await pass(10_000);
    expect(server.requests).toHaveLength(before);
    expect([follower.isGone, follower.tail]).toEqual([true, 'hello']);
  });

  it('waits for a server that is not there, and goes on then', async () => {
    follower.isActive = true;
    await pass(500);
    answer = () => {
      throw new TypeError('Failed to fetch');
    };
    await pass(3_000);
    model.error = {} as TaskError;
    changed.emit();
    await pass(3_000);
    const before = server.requests.length;
    await pass(10_000);
    expect(server.requests).toHaveLength(before);
    expect([follower.tail, follower.isGone]).toEqual(['hello', false]);
    answer = request => output('hello\r\nback\r\n', request);
    model.error = null;
    changed.emit();
    await pass(500);
    expect(follower.tail).toBe('hello\nback');
  });

  it('is silent once it is disposed', async () => {
    follower.isActive = true;
    await pass(500);
    follower.dispose();
    const before = server.requests.length;
    tell(ended);
    await pass(10_000);
    expect(server.requests).toHaveLength(before);
  });
});
