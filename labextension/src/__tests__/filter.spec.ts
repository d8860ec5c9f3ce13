import { nextNamed } from '../widgets/panel/typeahead';
import { nullTranslator } from '@jupyterlab/translation';

import type { IGroup } from '../services/types/groups';
import { taskSchema, type ITask } from '../services/types/tasks';
import {
  listRows,
  matches,
  readView,
  sweepOfHeading,
  toggled,
  type IView
} from '../widgets/panel/filter';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');

function task(changes: Partial<ITask>): ITask {
  return { ...taskSchema.parse(sample), ...changes };
}

const tasks = [
  task({ id: 'd', name: 'newest', state: 'succeeded', group: 'b' }),
  task({ id: 'c', name: 'train', state: 'running', group: 'a10' }),
  task({ id: 'b', name: 'broken', state: 'failed', group: 'default', tags: [] }),
  task({ id: 'a', name: 'oldest', state: 'running', group: 'a9' })
];

function keys(view: Partial<IView>, query = '', groups: IGroup[] = []): string[] {
  const whole: IView = { ...PLAIN, ...view };
  return listRows(tasks, groups, query, whole, trans).map(row => row.key);
}

const PLAIN: IView = { grouping: 'none', order: 'created', isCompact: false, collapsed: [] };

describe('the sections of sweeps', () => {
  const sweep = { id: 's1', name: 'train' };
  const older = { id: 's0', name: 'try' };
  const swept = [
    task({ id: 'e', name: 'alone', state: 'running' }),
    task({ id: 'd', name: 'train[lr=0.1]', state: 'failed', sweep, params: { lr: 0.1, a: true } }),
    task({ id: 'c', name: 'train[lr=1]', state: 'running', sweep, params: { lr: '1' } }),
    task({ id: 'b', name: 'try[x=1]', state: 'held', sweep: older, params: { x: 1 } })
  ];
  const rows = (view: Partial<IView> = {}, query = '', all = swept) =>
    listRows(all, [], query, { ...PLAIN, grouping: 'sweep', ...view }, trans);

  it('have the tasks in the order of the parameters, and what these are', () => {
    expect(rows().map(row => [row.key, row.label])).toEqual([
      ['sweep:s1', 'train'],
      ['c', 'lr=1'],
      ['d', 'lr=0.1 · a=true'],
      ['sweep:s0', 'try'],
      ['b', 'x=1'],
      ['sweep:', 'Other tasks'],
      ['e', 'alone']
    ]);
    expect(['sweep:s1', 'sweep:', 'group:s1'].map(sweepOfHeading)).toEqual(['s1', null, null]);
  });

  it('count all of a sweep, also where only some are found', () => {
    const [first, ...found] = rows({}, 'lr=0.1');
    expect(found.map(({ key }) => key)).toEqual(['d']);
    expect(first).toMatchObject({ count: 1, sweep: { total: 2, failed: 1, running: 1 } });
    const [, , held] = rows({ collapsed: ['sweep:s1'] });
    expect(held.key).toBe('b');
  });

  it('are missing without sweeps', () => {
    expect(rows({}, '', [swept[0]]).map(({ key }) => key)).toEqual(['e']);
  });
});

describe('matches', () => {
  const one = task({
    name: 'Train model',
    command: ['python', 'train.py'],
    group: 'night',
    tags: ['gpu'],
    state: 'timed_out',
    exit: { code: 3, signal: null }
  });

  it.each(['', '  ', 'TRAIN', 'train.py', 'night', 'gpu', 'timed out', 'exit 3', 'gpu model'])(
    'finds by %j',
    query => {
      expect(matches(one, query, trans)).toBe(true);
    }
  );

  it.each(['cpu', 'gpu cpu', 'running'])('does not find by %j', query => {
    expect(matches(one, query, trans)).toBe(false);
  });
});

describe('listRows', () => {
  it('puts live tasks first and keeps the order otherwise', () => {
    expect(keys({})).toEqual(['c', 'a', 'd', 'b']);
  });

  it('groups by state, what needs a look first', () => {
    expect(keys({ grouping: 'state' })).toEqual([
      'state:running',
      'c',
      'a',
      'state:failed',
      'b',
      'state:succeeded',
      'd'
    ]);
  });

  it('groups by group, in the order of the numbers in their names, the default one at the end', () => {
    expect(keys({ grouping: 'group' })).toEqual([
      'group:a9',
      'a',
      'group:a10',
      'c',
      'group:b',
      'd',
      'group:default',
      'b'
    ]);
  });

  it('has headings of groups with slots and without tasks, unless they are searched', () => {
    const idle: IGroup = { name: 'z', slots: 4, gpus: null, paused: false, reason: '', ends: null };
    expect(keys({ grouping: 'group' }, '', [idle]).slice(-3)).toEqual([
      'group:z',
      'group:default',
      'b'
    ]);
    expect(keys({ grouping: 'group' }, 'broken', [idle])).toEqual(['group:default', 'b']);
    const unlimited = keys({ grouping: 'group' }, '', [{ ...idle, slots: null }]);
    expect(unlimited).not.toContain('group:z');
  });

  it('has no headings of groups where these do not matter', () => {
    const usual: IGroup = {
      name: 'default',
      slots: null,
      gpus: null,
      paused: false,
      reason: '',
      ends: null
    };
    const plain = tasks.map(one => ({ ...one, group: 'default' }));
    const view: IView = { ...PLAIN, grouping: 'group' };
    const found = (some: readonly ITask[], groups: IGroup[]) =>
      listRows(some, groups, '', view, trans).map(row => row.kind)[0];
    expect(found(plain, [usual])).toBe('task');
    expect(found(plain, [{ ...usual, slots: 2 }])).toBe('heading');
    expect(found([...plain, task({ state: 'queued', group: 'default' })], [usual])).toBe('heading');
  });

  it('has pending tasks in the order of their turns', () => {
    const waits = (id: string, changes: Partial<ITask>) =>
      task({ id, state: 'queued', rank: id, ...changes });
    const line = [
      waits('w3', { rank: 'w1i' }),
      waits('w2', { priority: 5 }),
      waits('w1', { state: 'held' }),
      task({ id: 'run' })
    ];
    const view: IView = PLAIN;
    expect(listRows(line, [], '', view, trans).map(({ key }) => key)).toEqual([
      'run',
      'w2',
      'w1',
      'w3'
    ]);
  });

  it('counts what a collapsed group hides', () => {
    const view = toggled({ ...PLAIN, grouping: 'state' }, 'state:running');
    const [heading, next] = listRows(tasks, [], '', view, trans);
    expect(heading).toMatchObject({ label: 'Running', count: 2, isCollapsed: true });
    expect(next.key).toBe('state:failed');
    expect(toggled(view, 'state:running').collapsed).toEqual([]);
  });

  it('has no headings of groups in which nothing matches', () => {
    expect(keys({ grouping: 'state' }, 'broken')).toEqual(['state:failed', 'b']);
  });
});

describe('readView', () => {
  it('takes only what it knows', () => {
    const view: IView = { ...PLAIN, grouping: 'group', collapsed: ['group:a'] };
    expect(readView(view)).toEqual(view);
    expect(readView({ grouping: 'moon', collapsed: [] })).toBeUndefined();
    expect(readView(undefined)).toBeUndefined();
  });
});

describe('many runs', () => {
  const run = (id: string, name: string, minutes: number) => {
    const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 6, minute)).toISOString();
    return task({ id, name, state: 'succeeded', started: at(0), ended: at(minutes), group: 'g' });
  };
  const runs = [run('c', 'train-lr10', 5), run('b', 'train-lr9', 30), run('a', 'train-lr2', 10)];
  const queue = [{ name: 'g', slots: 1, gpus: null, paused: false, reason: '', ends: null }];
  const rows = (view: Partial<IView>) => listRows(runs, queue, '', { ...PLAIN, ...view }, trans);

  it.each([
    ['created', 'cba'],
    ['ended', 'bac'],
    ['duration', 'bac'],
    ['name', 'abc']
  ] as const)('are in the order by %s', (order, keys) => {
    expect(rows({ order }).map(row => row.key)).toEqual([...keys]);
  });

  it('leave out below their heading what all of them begin with', () => {
    const labels = (found: ReturnType<typeof rows>) =>
      found.flatMap(row => (row.kind === 'task' ? [row.label] : []));
    const long = runs.map(one => ({ ...one, name: `resnet50-${one.name}` }));
    const grouped = { ...PLAIN, grouping: 'group' } as const;
    expect(labels(listRows(long, queue, '', grouped, trans))).toEqual(['…lr10', '…lr9', '…lr2']);
    expect(labels(listRows(long.slice(1), queue, '', grouped, trans))).toEqual(
      long.slice(1).map(({ name }) => name)
    );
    expect(labels(rows({ grouping: 'group' }))).toEqual(runs.map(({ name }) => name));
  });

  it('are found by what is typed', () => {
    const found = rows({});
    expect(nextNamed(found, -1, 't')).toBe('c');
    expect(nextNamed(found, 0, 't')).toBe('b');
    expect(nextNamed(found, 1, 'train-lr10')).toBe('c');
    expect(nextNamed(found, 0, 'x')).toBeUndefined();
  });
});
