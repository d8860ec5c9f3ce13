import { Signal } from '@lumino/signaling';

import { endLabel } from '../format/ends';
import { metricValue } from '../format/numbers';
import { TaskError } from '../services/api';
import { RunsSource, type IRun } from '../services/runs';
import { EVERYTHING, nextSort, queryOf, readViews } from '../services/runsview';
import type { IPage } from '../services/types/lists';
import { taskSchema, type ITask } from '../services/types/tasks';
import type { IStateChange, ITaskModel } from '../tokens';
import { allColumns, traitsOf, usualColumns } from '../widgets/runs/columns';
import { nullTranslator } from '@jupyterlab/translation';
import sample from '../../../tests/contract/task.json';

const NOW = Date.parse('2026-11-21T06:00:00Z');
const trans = nullTranslator.load('');

function task(id: string, changes: Partial<ITask> = {}): ITask {
  return { ...taskSchema.parse(sample), id, name: id, ...changes };
}

describe('a view of runs', () => {
  it('is a query', () => {
    expect(queryOf(EVERYTHING, NOW)).toEqual({});
    const view = { ...EVERYTHING, sort: '-min.loss', state: 'wrong', period: 'day', text: ' a ' };
    expect(queryOf(view, NOW)).toEqual({
      sort: '-min.loss',
      state: 'failed,timed_out,lost',
      since: '2026-11-20T06:00:00.000Z',
      q: 'a'
    });
    expect(queryOf({ ...EVERYTHING, state: 'warned' }, NOW)).toEqual({
      warning: 'stalled,not_a_number'
    });
    expect(queryOf({ ...EVERYTHING, state: 'dreaming', period: 'eternity' }, NOW)).toEqual({});
  });

  it('is sorted upwards, downwards, and no more', () => {
    expect(nextSort('', 'name')).toBe('name');
    expect(nextSort('name', 'name')).toBe('-name');
    expect(nextSort('-name', 'name')).toBe('');
    expect(nextSort('-name', 'ended')).toBe('ended');
  });

  it('is read from what was stored, whatever that is', () => {
    const saved = [{ name: 'best', view: { ...EVERYTHING, tag: 'x' } }];
    expect(readViews({ current: { tag: 7 }, saved })).toEqual({ current: EVERYTHING, saved });
    expect(readViews('nothing')).toEqual({ current: EVERYTHING, saved: [] });
  });
});

describe('RunsSource', () => {
  const asked: Record<string, string>[] = [];
  let answer: (query: Record<string, string>) => Promise<IPage>;
  let source: RunsSource;
  const model = {
    tasks: [] as ITask[],
    isReady: true,
    error: null as TaskError | null,
    changed: new Signal<object, void>({}),
    stateChanged: new Signal<object, IStateChange>({}),
    get: (id: string) => model.tasks.find(one => one.id === id),
    api: {
      page: (query: Record<string, string>) => {
        asked.push(query);
        return answer(query);
      }
    }
  };
  const page = (tasks: unknown[], next_cursor: string | null = null): IPage => ({
    tasks,
    next_cursor,
    omitted: 0,
    revision: null
  });

  beforeEach(() => {
    jest.useFakeTimers();
    asked.length = 0;
    model.tasks = [];
    model.error = null;
    answer = async () => page([task('b'), task('a')]);
    source = new RunsSource(model as unknown as ITaskModel);
    source.isActive = true;
  });

  afterEach(() => {
    source.dispose();
    jest.useRealTimers();
  });

  const ids = () => source.rows.map(({ id }) => id);
  const settle = () => jest.advanceTimersByTimeAsync(0);

  it('shows the first page at once, and then the others as soon as they double the rows', async () => {
    let release: (found: IPage) => void = () => undefined;
    answer = query =>
      query.cursor
        ? new Promise(resolve => (release = resolve))
        : Promise.resolve(page([task('d'), 7], 'second'));
    source.show(EVERYTHING);
    await settle();
    expect([ids(), source.isWhole]).toEqual([['d'], false]);
    release(page([task('c')], 'third'));
    await settle();
    expect([ids(), source.isWhole]).toEqual([['d', 'c'], false]);
    release(page([task('b')], 'last'));
    await settle();
    expect([ids(), source.isWhole]).toEqual([['d', 'c'], false]);
    release(page([task('a')]));
    await settle();
    expect([ids(), source.isWhole]).toEqual([['d', 'c', 'b', 'a'], true]);
    expect(asked.map(({ limit, cursor }) => [limit, cursor])).toEqual([
      ['100', undefined],
      ['250', 'second'],
      ['250', 'third'],
      ['250', 'last']
    ]);
  });

  it('does not mix two views', async () => {
    let release: (found: IPage) => void = () => undefined;
    answer = query =>
      query.tag ? Promise.resolve(page([task('x')])) : new Promise(done => (release = done));
    source.show(EVERYTHING);
    source.show({ ...EVERYTHING, tag: 'x' });
    await settle();
    release(page([task('late')]));
    await settle();
    expect(ids()).toEqual(['x']);
  });

  it('follows the model, and requests rows again after news, not too often', async () => {
    source.show(EVERYTHING);
    await settle();
    model.tasks = [task('b', { state: 'failed' }), task('a')];
    model.changed.emit();
    expect(source.rows.map(({ state }) => state)).toEqual(['failed', 'running']);
    model.tasks = [task('b', { state: 'failed' })];
    for (let times = 0; times < 9; times++) {
      model.changed.emit();
      model.stateChanged.emit({ task: task('b'), previous: null });
    }
    expect(ids()).toEqual(['b']);
    expect(asked).toHaveLength(1);
    answer = async () => page([task('c'), task('b')]);
    await jest.advanceTimersByTimeAsync(2_000);
    expect([asked.length, ids()]).toEqual([2, ['c', 'b']]);
    source.isActive = false;
    model.stateChanged.emit({ task: task('b'), previous: null });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(2);
    source.isActive = true;
    await settle();
    expect(asked).toHaveLength(3);
  });

  it('completes a request before the next one, however often tasks change', async () => {
    const release: ((found: IPage) => void)[] = [];
    answer = () => new Promise(resolve => release.push(resolve));
    source.show(EVERYTHING);
    for (let times = 0; times < 3; times++) {
      model.stateChanged.emit({ task: task('b'), previous: null });
      await jest.advanceTimersByTimeAsync(1_000);
    }
    expect(asked).toHaveLength(1);
    release[0]?.(page([task('b'), task('a')]));
    await settle();
    expect([ids(), source.isWhole]).toEqual([['b', 'a'], true]);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(2);
    // After a failure, too, it requests again.
    answer = () => Promise.reject(new TaskError('gone', 0, 'unreachable'));
    source.show(EVERYTHING);
    await settle();
    expect(source.error?.message).toBe('gone');
    answer = async () => page([task('c')]);
    model.changed.emit();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(ids()).toEqual(['c']);
  });

  it('keeps its rows while the server is gone, and asks again when it is back', async () => {
    source.show(EVERYTHING);
    await settle();
    answer = () => Promise.reject(new TaskError('gone', 0, 'unreachable'));
    model.stateChanged.emit({ task: task('b'), previous: null });
    await jest.advanceTimersByTimeAsync(2_000);
    expect([source.error?.code, ids()]).toEqual(['unreachable', ['b', 'a']]);
    answer = async () => page([task('b')]);
    model.changed.emit();
    await jest.advanceTimersByTimeAsync(2_000);
    expect([source.error, ids()]).toEqual([null, ['b']]);
  });

  it('asks for commits only if they are wanted, and not where there are none', async () => {
    const git = { commit: 'abc', dirty: true };
    answer = async query => {
      if (query.fields?.endsWith(',git')) {
        throw new TaskError("tasks have no field 'git'", 400, 'bad_request', 'fields');
      }
      return page([{ ...task('a'), git }]);
    };
    source.show(EVERYTHING);
    await settle();
    source.show({ ...EVERYTHING, columns: ['git'] });
    await settle();
    expect(asked.map(({ fields }) => fields?.endsWith(',git'))).toEqual([false, true, false]);
    expect(source.rows[0]?.git).toEqual(git);
  });
});

describe('values and ends', () => {
  it.each([
    [0.314159, '0.3142'],
    [98.7, '98.7'],
    [0, '0'],
    [0.00012345678, '1.235e-4'],
    [-1234567, '-1.235e6'],
    [NaN, 'nan'],
    [-Infinity, '-inf']
  ])('shows %p as %p', (value, shown) => {
    expect(metricValue(value)).toBe(shown);
  });

  it('says what helps', () => {
    const started = new Date(NOW).toISOString();
    const ended = new Date(NOW + 3000).toISOString();
    const about = {
      started,
      ended,
      timeout: 3,
      state_message: '',
      exit: { code: 1, signal: null }
    };
    expect(endLabel({ ...about, state: 'failed', state_message: 'ValueError: x' }, trans)).toBe(
      'exit 1 · ValueError: x'
    );
    const timed = { ...about, exit: { code: null, signal: 'SIGINT' } };
    expect(endLabel({ ...timed, state: 'timed_out' }, trans)).toBe('after 3s, limit 3s');
    expect(endLabel({ ...timed, state: 'timed_out', timeout: null }, trans)).toBe('after 3s');
    expect(endLabel({ ...about, state: 'succeeded', exit: { code: 0, signal: null } }, trans)).toBe(
      ''
    );
  });
});

describe('the columns of runs', () => {
  const metric = { value: 0.3, step: 1, min: 0.2, max: 0.9, better: 'lower', trend: [] };
  const run = (changes: object): IRun => ({ ...task('a'), git: null, ...changes });

  it('begin with what was tried, then what came of it: first what most runs tell first', () => {
    const early = run({ params: { lr: 0.1, seed: 1 }, metrics: { loss: metric }, tags: [] });
    const late = run({
      params: { lr: 0.2, seed: 1 },
      metrics: { val_loss: metric, loss: metric },
      tags: ['a']
    });
    const traits = traitsOf([early, late, late, late]);
    expect(traits).toEqual({
      params: ['lr', 'seed'],
      metrics: ['val_loss', 'loss'],
      bests: ['min.val_loss', 'min.loss'],
      hasTags: true
    });
    const ids = usualColumns(traits);
    expect(ids.slice(0, 4)).toEqual(['name', 'params.lr', 'params.seed', 'state']);
    expect(ids.slice(4, 7)).toEqual(['min.val_loss', 'metrics.val_loss', 'metrics.loss']);
    expect(ids).toContain('tags');
    expect(usualColumns(traitsOf([early]))).not.toContain('tags');
    const columns = allColumns(traits, trans);
    const shown = ids.map(id => columns.find(column => column.id === id)?.text(late));
    expect(shown.slice(1, 7)).toEqual(['0.2', '1', 'Running', '0.2', '0.3', '0.3']);
  });
});
