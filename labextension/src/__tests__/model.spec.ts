import type { Event as Events } from '@jupyterlab/services';
import { Stream } from '@lumino/signaling';

import { TaskModel } from '../services/model';
import type { ITask } from '../services/types/tasks';
import { taskSchema } from '../services/types/tasks';
import type { IStateChange } from '../tokens';
import { FakeServer, type IAnswer } from './fakeserver';
import { PROGRESS } from './samples';
import sample from '../../../tests/contract/task.json';

const TASK_STATE = 'https://events.jupyter.org/jupyter_ptytasks/task_state';
const TASK_PROGRESS = 'https://events.jupyter.org/jupyter_ptytasks/task_progress';
const TASK_WAITING = 'https://events.jupyter.org/jupyter_ptytasks/task_waiting';
const GROUP_STATE = 'https://events.jupyter.org/jupyter_ptytasks/group_state';
/** Longer than events are gathered, and shorter than anything is polled. */
const SOON = 500;
const SLOWLY = 30_000;
const reallyLater = window.setTimeout;

function task(id: string, changes: Partial<ITask> = {}): ITask {
  return { ...taskSchema.parse(sample), id, name: id, progress: null, ...changes };
}

class FakeEvents implements Events.IManager {
  constructor(readonly serverSettings: FakeServer['settings']) {}

  readonly stream: Stream<Events.IManager, Events.Emission> = new Stream<
    Events.IManager,
    Events.Emission
  >(this);
  readonly isDisposed = false;

  dispose(): void {
    /* Nothing to do. */
  }

  async emit(): Promise<void> {
    /* Nobody listens. */
  }

  tell(schema = TASK_STATE, body: object = {}): void {
    this.stream.emit({ schema_id: schema, ...body });
  }
}

describe('TaskModel', () => {
  let tasks: ITask[];
  let answer: () => IAnswer | Promise<IAnswer>;
  let groups: unknown[];
  let server: FakeServer;
  let events: FakeEvents;
  let model: TaskModel;
  let changes: number;
  let news: IStateChange[];
  let visibility: jest.SpyInstance<DocumentVisibilityState, []>;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    visibility = jest.spyOn(document, 'visibilityState', 'get');
    tasks = [task('b'), task('a')];
    answer = () => ({ body: { tasks, next_cursor: null } });
    groups = [];
    server = new FakeServer(({ path }) => (path === 'groups' ? { body: { groups } } : answer()));
    events = new FakeEvents(server.settings);
    model = new TaskModel({ serverSettings: server.settings, events });
    changes = 0;
    news = [];
    model.changed.connect(() => {
      changes += 1;
    });
    model.stateChanged.connect((_, change) => {
      news.push(change);
    });
  });

  afterEach(() => {
    model.dispose();
    visibility.mockRestore();
    document.dispatchEvent(new Event('visibilitychange'));
    jest.useRealTimers();
  });

  /** The requests for the list; each one that is answered is followed by one for the groups. */
  const looks = () => server.requests.filter(({ path }) => path !== 'groups');

  /** Lets time pass, and all that is due in it happen. */
  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += SOON) {
      await jest.advanceTimersByTimeAsync(SOON);
      // Answers are read in turns of their own.
      await new Promise(resolve => reallyLater(resolve, 0));
    }
  }

  it('asks at once, and knows then', async () => {
    expect([model.isReady, model.tasks, model.error]).toEqual([false, [], null]);
    await pass(SOON);
    expect(model.isReady).toBe(true);
    expect(model.tasks.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(model.get('a')?.name).toBe('a');
    expect(model.get('c')).toBeUndefined();
    expect(changes).toBe(1);
  });

  it('knows groups, and hears of their changes', async () => {
    groups = [{ name: 'gpu', slots: 4, paused: false, reason: '', used: 0 }];
    await pass(SOON);
    const [gpu] = model.groups;
    expect(gpu).toEqual({
      name: 'gpu',
      slots: 4,
      gpus: null,
      paused: false,
      reason: '',
      ends: null
    });
    groups = [{ ...gpu, paused: true, reason: 'lunch' }];
    events.tell(GROUP_STATE, { action: 'changed', name: 'gpu' });
    await pass(SOON);
    expect(model.groups[0]?.reason).toBe('lunch');
  });

  it('shows tasks also where it does not learn about groups', async () => {
    groups = [{ name: 'gpu' }];
    await pass(SOON);
    expect(model.error).toBeNull();
    expect([model.tasks.length, model.groups]).toEqual([2, []]);
  });

  it('does not announce what was there before', async () => {
    await pass(SOON);
    expect(news).toEqual([]);
  });

  it('asks no more than now and then, and says that no user did', async () => {
    await pass(SOON);
    events.tell();
    await pass(2_000);
    const before = looks().length;
    await pass(SLOWLY - 2_000);
    expect(looks()).toHaveLength(before);
    await pass(2_000);
    expect(looks()).toHaveLength(before + 1);
    expect(looks().every(({ query }) => query.get('no_track_activity') === '1')).toBe(true);
  });

  it('asks sooner as long as no event has come, and less and less often', async () => {
    await pass(SOON);
    tasks = [task('b', { state: 'failed' })];
    await pass(1_000);
    expect(news.map(({ task }) => task.state)).toEqual(['failed']);
    await pass(2 * SLOWLY);
    const asked = looks().length;
    expect(asked).toBeLessThan(10);
    await pass(SLOWLY - 1_000);
    expect(looks().length - asked).toBeLessThanOrEqual(1);
  });

  it('makes one request of a burst of events', async () => {
    await pass(SOON);
    tasks = [task('c'), task('b', { state: 'failed' }), task('a')];
    for (let index = 0; index < 9; index++) {
      events.tell();
      await jest.advanceTimersByTimeAsync(10);
    }
    await pass(SOON);
    expect(looks()).toHaveLength(2);
    expect(news.map(({ task, previous }) => [task.id, previous, task.state])).toEqual([
      ['c', null, 'running'],
      ['b', 'running', 'failed']
    ]);
  });

  it('has updated the tasks before it announces news', async () => {
    await pass(SOON);
    let known: string | undefined;
    model.stateChanged.connect((sender, change) => {
      known = sender.get(change.task.id)?.state;
    });
    tasks = [task('b', { state: 'succeeded' })];
    events.tell();
    await pass(SOON);
    expect(known).toBe('succeeded');
    expect(model.get('a')).toBeUndefined();
  });

  describe('with a server that tells changes', () => {
    let told: object | null;

    const change = (what: object): void => {
      told = { complete: true, tasks: [], deleted: [], waits: {}, ...what };
      events.tell();
    };

    beforeEach(async () => {
      told = null;
      tasks = [task('c', { state: 'queued' }), task('b'), task('a')];
      server.answer = ({ path, query }) => {
        if (path === 'groups') {
          return { body: { groups } };
        }
        if (path === 'tasks') {
          return { body: { tasks, next_cursor: null, revision: 'x-1' } };
        }
        const revision = `x-${Number(query.get('since')?.slice(2)) + 1}`;
        return { body: { ...told, revision } };
      };
      change({});
      await pass(SOON);
      expect(looks().map(({ path }) => path)).toEqual(['tasks', 'changes']);
      server.requests.length = 0;
    });

    const paths = () => looks().map(({ path, query }) => `${path} ${query.get('since') ?? ''}`);

    it('requests the list once, and then what has changed since the last time', async () => {
      const [, b] = model.tasks;
      change({ tasks: [task('d'), task('a', { state: 'failed' })] });
      await pass(SOON);
      expect(model.tasks.map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a']);
      expect(model.get('b')).toBe(b);
      expect(news.map(({ task, previous }) => [task.id, previous, task.state])).toEqual([
        ['d', null, 'running'],
        ['a', 'running', 'failed']
      ]);
      change({ deleted: ['b', 'never seen'] });
      await pass(SOON);
      expect(model.tasks.map(({ id }) => id)).toEqual(['d', 'c', 'a']);
      expect(paths()).toEqual(['changes x-2', 'changes x-3']);
    });

    it('takes in why tasks wait', async () => {
      change({ waits: { c: { position: 2, text: 'one before it', starts: null }, z: null } });
      await pass(SOON);
      expect(model.get('c')?.queue).toMatchObject({ position: 2, text: 'one before it' });
      expect(model.tasks).toHaveLength(3);
    });

    it('asks now and then for what changes without an event', async () => {
      await pass(2 * SLOWLY);
      expect(looks().length).toBeGreaterThan(0);
      expect(looks().every(({ query }) => query.get('active') === '1')).toBe(true);
      change({});
      await pass(SOON);
      expect(looks().at(-1)?.query.get('active')).toBeNull();
    });

    it('requests the list again from a server that has forgotten, and after what it cannot read', async () => {
      tasks = [task('b', { state: 'lost' })];
      change({ complete: false });
      await pass(SOON);
      expect(model.tasks.map(({ id, state }) => [id, state])).toEqual([['b', 'lost']]);
      tasks = [task('b')];
      change({ tasks: [7] });
      await pass(SOON);
      expect(model.get('b')?.state).toBe('running');
      expect(paths()).toEqual(['changes x-2', 'tasks ', 'changes x-1', 'tasks ']);
    });

    it('catches up after an outage', async () => {
      const { answer } = server;
      server.answer = () => {
        throw new TypeError('Failed to fetch');
      };
      const refreshed = model.refresh();
      await pass(SOON);
      await refreshed;
      expect(model.error).toMatchObject({ code: 'unreachable' });
      server.answer = answer;
      change({ tasks: [task('b', { state: 'lost' })], deleted: ['a'] });
      await pass(10_000);
      expect(model.tasks.map(({ id, state }) => [id, state])).toEqual([
        ['c', 'queued'],
        ['b', 'lost']
      ]);
    });

    it('names what it can no longer read, until it can again', async () => {
      change({ tasks: [{ ...task('b'), state: 'dreaming' }] });
      await pass(SOON);
      expect([model.get('b'), model.unreadable.map(({ id }) => id)]).toEqual([undefined, ['b']]);
      change({ tasks: [task('b')] });
      await pass(SOON);
      expect([model.get('b')?.id, model.unreadable]).toEqual(['b', []]);
    });
  });

  describe('progress', () => {
    const tell = (id: string, fraction: number | null, attempt = sample.attempt) =>
      events.tell(TASK_PROGRESS, {
        id,
        attempt,
        progress: fraction === null ? null : { ...PROGRESS, fraction },
        usage: { cpu: 100 * (fraction ?? 0) }
      });

    it('is taken in without asking, and leaves all else as it was', async () => {
      await pass(SOON);
      const [b, a] = model.tasks;
      const before = model.tasks;
      tell('a', 0.5);
      await pass(SOON);
      expect(model.get('a')).toMatchObject({ progress: { fraction: 0.5 }, usage: { cpu: 50 } });
      expect(model.tasks).not.toBe(before);
      expect(model.tasks[0]).toBe(b);
      expect(model.tasks[1]).toBe(model.get('a'));
      expect(a.progress).toBeNull();
      expect([changes, looks().length, news]).toEqual([2, 1, []]);
      tell('a', null);
      await pass(SOON);
      expect(model.get('a')?.progress).toBeNull();
    });

    it('of a hundred tasks is announced a few times a second, not a hundred times', async () => {
      tasks = Array.from({ length: 100 }, (_, index) => task(`t${index}`));
      await pass(SOON);
      // From the first event on, looks without one are far apart.
      tell('t0', 0);
      await pass(2_000);
      changes = 0;
      for (let index = 0; index < 100; index++) {
        tell(`t${index}`, index / 100);
        await jest.advanceTimersByTimeAsync(10);
      }
      await pass(SOON);
      expect(changes).toBeLessThanOrEqual(6);
      expect(model.tasks.map(({ progress }) => progress?.fraction)).toEqual(
        tasks.map((_, index) => index / 100)
      );
    });

    it('is that of the attempt, of a task that there is, and makes sense', async () => {
      await pass(SOON);
      tell('a', 0.5, 7);
      tell('c', 0.5);
      events.tell(TASK_PROGRESS, { id: 'a' });
      await pass(SOON);
      expect(model.get('a')?.progress).toBeNull();
      expect(changes).toBe(1);
    });

    it('is not announced after it is disposed', async () => {
      await pass(SOON);
      tell('a', 0.5);
      model.dispose();
      await pass(SOON);
      expect(changes).toBe(1);
    });
  });

  it('takes in what a program waits for, without asking', async () => {
    await pass(SOON);
    const waiting = { kind: 'line', prompt: 'Proceed? [y/N] ', sure: true, since: '2026-11-21' };
    const tell = (what: object) =>
      events.tell(TASK_WAITING, { id: 'a', attempt: sample.attempt, ...what });
    tell({ waiting });
    expect(model.get('a')?.waiting).toMatchObject({ kind: 'line', prompt: 'Proceed? [y/N] ' });
    expect(model.tasks[1]).toBe(model.get('a'));
    tell({ waiting: null, attempt: 7 });
    expect(model.get('a')?.waiting).not.toBeNull();
    tell({ waiting: { kind: 'song' } });
    expect(model.get('a')?.waiting).toBeNull();
    events.tell(TASK_WAITING, { id: 'a' });
    tell({ waiting, id: 'z' });
    expect([changes, looks().length, news]).toEqual([3, 1, []]);
  });

  it('prefers an event to the older response of a request that was under way', async () => {
    await pass(SOON);
    let release: (given: IAnswer) => void = () => undefined;
    answer = () => new Promise(resolve => (release = resolve));
    const refreshed = model.refresh();
    await pass(SOON);
    const waiting = { kind: 'keys', prompt: 'Sure? [y/N] ', sure: true, since: '2026-11-21' };
    const { attempt } = sample;
    events.tell(TASK_WAITING, { id: 'a', attempt, waiting });
    events.tell(TASK_WAITING, { id: 'new', attempt, waiting });
    events.tell(TASK_PROGRESS, { id: 'b', attempt, progress: { ...PROGRESS, fraction: 0.5 } });
    await pass(SOON);
    const body = { tasks: [task('new'), ...tasks], next_cursor: null };
    release({ body });
    await pass(SOON);
    await refreshed;
    expect(model.get('a')?.waiting).toMatchObject({ kind: 'keys' });
    expect(model.get('new')?.waiting).toMatchObject({ kind: 'keys' });
    expect(model.get('b')?.progress).toMatchObject({ fraction: 0.5 });
    // The next response is newer than the events.
    answer = () => ({ body });
    const again = model.refresh();
    await pass(SOON);
    await again;
    expect(model.get('a')?.waiting).toBeNull();
  });

  it('keeps the final values of a task that ended during a request', async () => {
    await pass(SOON);
    let release: (given: IAnswer) => void = () => undefined;
    answer = () => new Promise(resolve => (release = resolve));
    const refreshed = model.refresh();
    await pass(SOON);
    const { attempt } = sample;
    events.tell(TASK_PROGRESS, { id: 'a', attempt, progress: { ...PROGRESS, fraction: 0.5 } });
    const done = task('a', { state: 'succeeded', progress: { ...PROGRESS, fraction: 1 } });
    release({ body: { tasks: [done], next_cursor: null } });
    await pass(SOON);
    await refreshed;
    expect(model.get('a')).toMatchObject({ state: 'succeeded', progress: { fraction: 1 } });
  });

  it('does not mind what others tell', async () => {
    await pass(SOON);
    events.tell('https://events.jupyter.org/jupyter_server/kernel_actions/v1');
    await pass(SOON);
    expect(looks()).toHaveLength(1);
  });

  it('makes no requests while hidden, except after an event', async () => {
    await pass(SOON);
    visibility.mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    // A poll lingers a little.
    await pass(2 * SLOWLY);
    const before = looks().length;
    await pass(3 * SLOWLY);
    expect(looks()).toHaveLength(before);
    tasks = [task('b', { state: 'failed' })];
    events.tell();
    await pass(SOON);
    expect(news.map(({ task }) => task.state)).toEqual(['failed']);
  });

  it('takes in what is asked for', async () => {
    await pass(SOON);
    tasks = [];
    const refreshed = model.refresh();
    await pass(SOON);
    await refreshed;
    expect(model.tasks).toEqual([]);
  });

  it('keeps what it knew while the server is gone, and finds it again by itself', async () => {
    await pass(SOON);
    answer = () => {
      throw new TypeError('Failed to fetch');
    };
    const refreshed = model.refresh();
    await pass(SOON);
    await refreshed;
    expect(model.error).toMatchObject({ code: 'unreachable' });
    expect(model.tasks).toHaveLength(2);
    const told = changes;
    await pass(20_000);
    expect(changes).toBe(told);
    tasks = [task('b', { state: 'lost' }), task('a')];
    answer = () => ({ body: { tasks, next_cursor: null } });
    await pass(10_000);
    expect(model.error).toBeNull();
    expect(news.map(({ task }) => [task.id, task.state])).toEqual([['b', 'lost']]);
  });

  it.each<[string, IAnswer]>([
    ['that the extension is switched off', { status: 404, text: '404: Not Found' }],
    [
      'that terminals are forbidden',
      { status: 503, body: { code: 'disabled', message: 'Terminals are disabled on this server' } }
    ]
  ])('says %s, and asks no more until it is told to', async (_, refusal) => {
    answer = () => refusal;
    await pass(SOON);
    expect([model.error?.isLasting, model.isReady]).toEqual([true, false]);
    await pass(10 * SLOWLY);
    document.dispatchEvent(new Event('visibilitychange'));
    await pass(SLOWLY);
    expect(looks()).toHaveLength(1);
    answer = () => ({ body: { tasks, next_cursor: null } });
    const refreshed = model.refresh();
    await pass(SOON);
    await refreshed;
    expect([model.error, model.tasks.length]).toEqual([null, 2]);
    await pass(2_000);
    expect(looks().length).toBeGreaterThan(2);
  });

  it('keeps the tasks that it understands, and says what it leaves out', async () => {
    answer = () => ({
      body: { tasks: [{ ...task('b'), state: 'dreaming' }, task('a')], next_cursor: null }
    });
    await pass(SOON);
    expect([model.error, model.tasks.map(({ id }) => id)]).toEqual([null, ['a']]);
    expect(model.unreadable).toEqual([{ id: 'b', label: 'b', fields: ['state'] }]);
  });

  it('forgets a task as soon as it is announced to be deleted', async () => {
    await pass(SOON);
    events.tell(TASK_STATE, { action: 'deleted', id: 'b' });
    expect([model.get('b'), model.tasks.map(({ id }) => id)]).toEqual([undefined, ['a']]);
    events.tell(TASK_STATE, { action: 'changed', id: 'a' });
    expect(model.get('a')).toBeDefined();
  });

  it('requests a new list for new consumers, unless events arrive', async () => {
    const asked = async () => {
      const before = looks().length;
      const current = model.current();
      await pass(SOON);
      await current;
      return looks().length - before;
    };
    await pass(SOON);
    // From now on the looks without an event are far apart.
    events.tell('of somebody else');
    await pass(3_000);
    expect(await asked()).toBe(0);
    await pass(SLOWLY - 5_000);
    events.tell('of somebody else');
    expect(await asked()).toBe(0);
    events.tell();
    expect(await asked()).toBe(1);
    await pass(SLOWLY + 2_000);
    await pass(2_000);
    expect(await asked()).toBe(1);
  });

  it('looks once more where something has changed while it was looking', async () => {
    await pass(SOON);
    let release: (given: IAnswer) => void = () => undefined;
    const body = { tasks, next_cursor: null };
    answer = () => new Promise(resolve => (release = resolve));
    const first = model.refresh();
    await pass(SOON);
    const second = model.refresh();
    await pass(SOON);
    answer = () => ({ body: { tasks: [], next_cursor: null } });
    release({ body });
    await pass(2 * SOON);
    await Promise.all([first, second]);
    expect(model.tasks).toEqual([]);
    expect(looks()).toHaveLength(3);
  });

  it('requests a list when the page is shown again after a while', async () => {
    await pass(SOON);
    visibility.mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    await pass(4 * SLOWLY);
    const before = looks().length;
    visibility.mockReturnValue('visible');
    document.dispatchEvent(new Event('visibilitychange'));
    await pass(SOON);
    expect(looks()).toHaveLength(before + 1);
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    await pass(SOON);
    expect(looks()).toHaveLength(before + 2);
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }));
    await pass(SOON);
    expect(looks()).toHaveLength(before + 2);
  });

  it('is silent once it is disposed', async () => {
    await pass(SOON);
    let isTold = false;
    model.disposed.connect(() => {
      isTold = true;
    });
    model.dispose();
    model.dispose();
    expect([isTold, model.isDisposed]).toEqual([true, true]);
    events.tell();
    await pass(2 * SLOWLY);
    expect(looks()).toHaveLength(1);
  });
});
