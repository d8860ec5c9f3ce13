import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { addGroupCommands } from '../commands/groups';
import { addOrderCommands } from '../commands/order';
import type { IGroup } from '../services/types/groups';
import { taskSchema, type ITask } from '../services/types/tasks';
import { CommandIDs, type ITaskModel } from '../tokens';
import sample from '../../../tests/contract/task.json';

const showErrorMessage = jest.fn();
const showDialog = jest.fn();
const getText = jest.fn();
const getItem = jest.fn();
jest.mock('@jupyterlab/apputils', () => ({
  showErrorMessage: (...args: unknown[]) => showErrorMessage(...args),
  showDialog: (...args: unknown[]) => showDialog(...args),
  InputDialog: {
    getText: (...args: unknown[]) => getText(...args),
    getItem: (...args: unknown[]) => getItem(...args)
  },
  Dialog: { cancelButton: () => ({}), warnButton: () => ({}) }
}));

function task(id: string, changes: Partial<ITask> = {}): ITask {
  const state = 'queued';
  return { ...taskSchema.parse(sample), id, name: id, rank: id, state, group: 'gpu', ...changes };
}

const GPU: IGroup = { name: 'gpu', slots: 2, gpus: null, paused: false, reason: '', ends: null };

const done = async () => undefined;
const api = {
  move: jest.fn<Promise<void>, [string, object]>(done),
  retryGroup: jest.fn<Promise<void>, [string]>(done),
  setGroup: jest.fn<Promise<void>, [string, object]>(done),
  pauseGroup: jest.fn<Promise<void>, [string, boolean]>(done),
  resumeGroup: jest.fn<Promise<void>, [string, boolean]>(done),
  deleteGroup: jest.fn<Promise<void>, [string]>(done)
};
const model = {
  api,
  tasks: [] as ITask[],
  groups: [GPU],
  get: (id: string) => model.tasks.find(one => one.id === id),
  refresh: jest.fn(done)
};
const commands = new CommandRegistry();
const announce = jest.fn();
let current: ITask[] = [];
let group: string | null = 'gpu';
const trans = nullTranslator.load('jupyter_ptytasks');
const options = { commands, model: model as unknown as ITaskModel, trans };
addOrderCommands({ ...options, current: () => current, announce });
addGroupCommands({ ...options, current: () => group });

beforeEach(() => {
  jest.clearAllMocks();
  group = 'gpu';
  model.groups = [GPU];
  model.tasks = [
    task('a'),
    task('b'),
    task('c'),
    task('d'),
    task('other', { group: 'cpu' }),
    task('run', { state: 'running' }),
    task('bad', { state: 'failed' }),
    task('gone', { state: 'lost' }),
    task('stopped', { state: 'cancelled' })
  ];
  current = [];
});

describe('the commands about the order', () => {
  it.each<[string, string[], unknown[][]]>([
    [CommandIDs.moveUp, ['c'], [['c', { before: 'b' }]]],
    [CommandIDs.moveDown, ['b'], [['b', { after: 'c' }]]],
    [CommandIDs.moveFirst, ['d'], [['d', { to: 'first' }]]],
    [
      CommandIDs.moveUp,
      ['d', 'c', 'other', 'run'],
      [
        ['c', { before: 'b' }],
        ['d', { after: 'c' }]
      ]
    ]
  ])('%s moves %j', async (command, ids, calls) => {
    await commands.execute(command, { ids });
    expect(api.move.mock.calls).toEqual(calls);
    expect(model.refresh).toHaveBeenCalledTimes(1);
  });

  it('says where a task is afterwards', async () => {
    current = [task('c')];
    api.move.mockImplementationOnce(async () => {
      model.tasks[2] = task('c', { rank: 'ai' });
    });
    await commands.execute(CommandIDs.moveUp);
    expect(announce).toHaveBeenCalledWith('c is number 2 in the queue of gpu');
  });

  it('cannot move beyond the ends, nor what does not wait', () => {
    const can = (command: string, id: string) => commands.isEnabled(command, { id });
    expect([can(CommandIDs.moveUp, 'a'), can(CommandIDs.moveDown, 'a')]).toEqual([false, true]);
    expect([can(CommandIDs.moveUp, 'd'), can(CommandIDs.moveDown, 'd')]).toEqual([true, false]);
    expect(can(CommandIDs.moveFirst, 'a')).toBe(false);
    expect(can(CommandIDs.moveUp, 'run')).toBe(false);
    expect(commands.isVisible(CommandIDs.moveUp, { id: 'run' })).toBe(false);
  });

  it('knows a task that the list lacks because it was just created', async () => {
    model.refresh.mockImplementationOnce(async () => {
      model.tasks.push(task('e'));
    });
    await commands.execute(CommandIDs.moveFirst, { id: 'e' });
    expect(api.move.mock.calls).toEqual([['e', { to: 'first' }]]);
  });

  it('moves to another group, at a certain place or the last one', async () => {
    await commands.execute(CommandIDs.move, { ids: ['b', 'a'], before: 'other', group: 'cpu' });
    await commands.execute(CommandIDs.move, { ids: ['b', 'a'], to: 'last', group: 'cpu' });
    expect(api.move.mock.calls).toEqual([
      ['a', { before: 'other', group: 'cpu' }],
      ['b', { after: 'a', group: 'cpu' }],
      ['a', { to: 'last', group: 'cpu' }],
      ['b', { to: 'last', group: 'cpu' }]
    ]);
  });

  it('asks for the group', async () => {
    current = [task('a')];
    api.move.mockImplementationOnce(async () => {
      model.tasks[0] = task('a', { group: 'cpu', rank: 'z' });
    });
    getItem.mockResolvedValueOnce({ value: 'cpu' });
    await commands.execute(CommandIDs.moveToGroup);
    expect(getItem.mock.calls[0][0].items).toEqual(['cpu']);
    expect(announce).toHaveBeenCalledWith('a is number 2 in the queue of cpu');
    current = [task('b')];
    for (const value of [null, ' ', 'gpu']) {
      getItem.mockResolvedValueOnce({ value });
      await commands.execute(CommandIDs.moveToGroup);
    }
    await commands.execute(CommandIDs.moveToGroup, { id: 'c', group: 'new' });
    expect(api.move.mock.calls).toEqual([
      ['a', { to: 'last', group: 'cpu' }],
      ['c', { to: 'last', group: 'new' }]
    ]);
    expect(commands.isVisible(CommandIDs.moveToGroup, { id: 'run' })).toBe(false);
  });

  it('says why a task could not be moved', async () => {
    api.move.mockRejectedValueOnce(new Error('has just been started'));
    await commands.execute(CommandIDs.move, { ids: ['a'], after: 'b' });
    expect(showErrorMessage.mock.calls[0][1].message).toBe('has just been started');
  });
});

describe('the commands about groups', () => {
  it('pause and resume, with or without its tasks', async () => {
    await commands.execute(CommandIDs.pauseGroup);
    await commands.execute(CommandIDs.pauseGroup, { group: 'cpu', tasks: true });
    expect(api.pauseGroup.mock.calls).toEqual([
      ['gpu', false],
      ['cpu', true]
    ]);
    expect(commands.isVisible(CommandIDs.resumeGroup)).toBe(false);
    model.groups = [{ ...GPU, paused: true }];
    await commands.execute(CommandIDs.resumeGroup, { tasks: true });
    expect(api.resumeGroup.mock.calls).toEqual([['gpu', true]]);
    expect(commands.isVisible(CommandIDs.pauseGroup)).toBe(false);
  });

  it('run again what failed, and say how much that is', async () => {
    expect(commands.label(CommandIDs.retryFailed)).toBe('Retry Failed (2)');
    await commands.execute(CommandIDs.retryFailed);
    expect(api.retryGroup.mock.calls).toEqual([['gpu']]);
    expect(commands.isEnabled(CommandIDs.retryFailed, { group: 'cpu' })).toBe(false);
  });

  it('need a group', () => {
    group = null;
    expect(commands.isEnabled(CommandIDs.setSlots)).toBe(false);
    expect(commands.isEnabled(CommandIDs.setSlots, { group: 'moon' })).toBe(false);
  });

  it('ask for slots', async () => {
    for (const value of ['8', ' ', null]) {
      getText.mockResolvedValueOnce({ value });
      await commands.execute(CommandIDs.setSlots);
    }
    await commands.execute(CommandIDs.setSlots, { slots: 0 });
    expect(api.setGroup.mock.calls).toEqual([
      ['gpu', { slots: 8 }],
      ['gpu', { slots: null }],
      ['gpu', { slots: 0 }]
    ]);
  });

  it('forget a group only if its tasks may start', async () => {
    showDialog.mockResolvedValueOnce({ button: { accept: false } });
    await commands.execute(CommandIDs.forgetGroup);
    expect(api.deleteGroup).not.toHaveBeenCalled();
    expect(showDialog.mock.calls[0][0].body).toContain('4 tasks');
    showDialog.mockResolvedValueOnce({ button: { accept: true } });
    await commands.execute(CommandIDs.forgetGroup);
    expect(api.deleteGroup).toHaveBeenCalledWith('gpu');
  });

  it('say what went wrong', async () => {
    api.pauseGroup.mockRejectedValueOnce(new Error('no space left'));
    await commands.execute(CommandIDs.pauseGroup);
    expect(showErrorMessage.mock.calls[0][1].message).toBe('no space left');
    expect(model.refresh).toHaveBeenCalledTimes(1);
  });
});
