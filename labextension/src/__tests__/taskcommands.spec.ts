import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { TaskError } from '../services/api';
import type { ConfirmDialogs, Deletion } from '../commands/confirm';
import { addTaskCommands } from '../commands/tasks';
import type { IManyChanges, ITaskChanges } from '../services/types/requests';
import { taskSchema, type ITask } from '../services/types/tasks';
import { CommandIDs, type ITaskModel } from '../tokens';
import sample from '../../../tests/contract/task.json';

const showErrorMessage = jest.fn();
const ask = jest.fn<Promise<{ value: unknown }>, [unknown]>();
jest.mock('@jupyterlab/apputils', () => ({
  InputDialog: {
    getText: (options: unknown) => ask(options),
    getMultipleItems: (options: unknown) => ask(options)
  },
  showErrorMessage: (...args: unknown[]) => showErrorMessage(...args)
}));

function task(changes: Partial<ITask>): ITask {
  return { ...taskSchema.parse(sample), ...changes };
}

const TASKS = [
  task({ id: 'run1', state: 'running' }),
  task({ id: 'run2', state: 'running' }),
  task({ id: 'rest', state: 'paused' }),
  task({ id: 'done', state: 'succeeded', kind: 'shell' }),
  task({ id: 'left', state: 'succeeded', leftover: 2, pinned: true }),
  task({ id: 'far', state: 'succeeded', leftover: 2, place: 'ssh:gpu1' }),
  task({ id: 'held', state: 'held' }),
  task({ id: 'queued', state: 'queued' }),
  task({
    id: 'asks',
    state: 'running',
    waiting: { kind: 'line', prompt: 'Sure? ', since: '', sure: true }
  })
];

/** The list; the server has a task that it lacks until it is refreshed. */
const list = [...TASKS];
const LATE = task({ id: 'late', state: 'failed' });

const api = {
  stop: jest.fn<Promise<void>, [string]>(async () => undefined),
  restart: jest.fn<Promise<void>, [string]>(async () => undefined),
  hold: jest.fn<Promise<void>, [string]>(async () => undefined),
  release: jest.fn<Promise<void>, [string]>(async () => undefined),
  endLeftover: jest.fn<Promise<void>, [string]>(async () => undefined),
  delete: jest.fn<Promise<void>, [string, boolean]>(async () => undefined),
  update: jest.fn<Promise<void>, [string, ITaskChanges]>(async () => undefined),
  updateAll: jest.fn<Promise<void>, [string[], IManyChanges]>(async () => undefined),
  again: jest.fn<Promise<ITask>, [string]>(async id => task({ id: `${id}-again` }))
};
const refresh = jest.fn(async () => {
  list.splice(TASKS.length, 1, LATE);
});
const open = jest.fn();
const answer = jest.fn(async () => undefined);
const commands = new CommandRegistry();
let current: ITask[] = [];
let isSure = true;
let decision: Deletion = 'delete';

const dialogs = {
  stop: async () => isSure,
  kill: async () => isSure,
  restart: async () => isSure,
  endLeftover: async () => isSure,
  delete: async () => decision
};

addTaskCommands({
  commands,
  model: {
    api,
    refresh,
    get: (id: string) => list.find(one => one.id === id)
  } as unknown as ITaskModel,
  dialogs: async () => dialogs as unknown as ConfirmDialogs,
  trans: nullTranslator.load('jupyter_ptytasks'),
  current: () => current,
  open,
  answer
});

describe('the commands about tasks', () => {
  beforeEach(() => {
    jest.clearAllMocks();
    current = [];
    isSure = true;
    list.splice(TASKS.length);
  });

  it('have labels, captions, and a schema of their arguments', async () => {
    for (const id of commands.listCommands()) {
      expect(commands.label(id)).not.toBe('');
      expect(commands.caption(id)).not.toBe('');
      expect((await commands.describedBy(id)).args).toMatchObject({ type: 'object' });
    }
  });

  it.each([
    [CommandIDs.stop, ['run1'], true],
    [CommandIDs.stop, ['done'], false],
    [CommandIDs.stop, ['done', 'run1'], true],
    [CommandIDs.pause, ['rest'], false],
    [CommandIDs.resume, ['rest'], true],
    [CommandIDs.hold, ['queued'], true],
    [CommandIDs.hold, ['held'], false],
    [CommandIDs.release, ['held'], true],
    [CommandIDs.release, ['queued'], false],
    [CommandIDs.restart, ['queued'], false],
    [CommandIDs.answer, ['asks'], true],
    [CommandIDs.answer, ['run1'], false],
    [CommandIDs.stop, ['queued'], true],
    [CommandIDs.rename, ['run1'], true],
    [CommandIDs.rename, ['run1', 'run2'], false],
    [CommandIDs.deleteTasks, ['nobody'], false],
    [CommandIDs.deleteTasks, [], false]
  ])('%s of %j: %s', (id, ids, isEnabled) => {
    expect(commands.isEnabled(id, { ids })).toBe(isEnabled);
  });

  it.each([
    [['left'], 'Unpin'],
    [['left', 'done'], 'Pin'],
    [[], 'Pin']
  ])('pins or unpins %j: %s', (ids, label) => {
    expect(commands.label(CommandIDs.pin, { ids })).toBe(label);
  });

  it('change the tags of all tasks with one request, relative to what they are', async () => {
    const tagged = [task({ id: 'one', tags: ['b', 'a'] }), task({ id: 'two', tags: ['a'] })];
    current = [...tagged, task({ id: 'bare', tags: [] })];
    ask.mockResolvedValueOnce({ value: 'c, a' });
    await commands.execute(CommandIDs.addTags);
    ask.mockResolvedValueOnce({ value: ['a'] });
    await commands.execute(CommandIDs.removeTags);
    expect(ask.mock.lastCall).toMatchObject([{ items: ['a', 'b'] }]);
    await commands.execute(CommandIDs.pin);
    expect(api.updateAll.mock.calls).toEqual([
      [['one', 'two', 'bare'], { add_tags: ['c', 'a'] }],
      [['one', 'two'], { remove_tags: ['a'] }],
      [['one', 'two', 'bare'], { pinned: true }]
    ]);
    current = tagged.slice(0, 1);
    ask.mockResolvedValueOnce({ value: 'b, new' });
    await commands.execute(CommandIDs.editTags);
    expect(api.update.mock.calls).toEqual([['one', { add_tags: ['new'], remove_tags: ['a'] }]]);
  });

  it('mean what is selected, where they are not told', async () => {
    expect(commands.isEnabled(CommandIDs.stop)).toBe(false);
    current = [TASKS[0]];
    await commands.execute(CommandIDs.stop);
    expect(api.stop.mock.calls).toEqual([['run1']]);
    expect(refresh).toHaveBeenCalled();
  });

  it('do nothing when told not to', async () => {
    isSure = false;
    await commands.execute(CommandIDs.stop, { id: 'run1' });
    await commands.execute(CommandIDs.kill, { id: 'run1' });
    await commands.execute(CommandIDs.restart, { id: 'run1' });
    expect(api.stop).not.toHaveBeenCalled();
    expect(api.restart).not.toHaveBeenCalled();
  });

  it('end what a finished task left running, and nothing else', async () => {
    expect(commands.isEnabled(CommandIDs.endLeftover, { ids: ['run1', 'done'] })).toBe(false);
    await commands.execute(CommandIDs.endLeftover, { ids: ['left', 'done', 'far'] });
    expect(api.endLeftover.mock.calls).toEqual([['left']]);
  });

  it('answer what asks', async () => {
    await commands.execute(CommandIDs.answer, { ids: ['asks'] });
    expect(answer).toHaveBeenCalledWith(TASKS.find(({ id }) => id === 'asks'));
  });

  it('hold what is queued, and release what is held', async () => {
    await commands.execute(CommandIDs.hold, { ids: ['held', 'queued'] });
    expect(api.hold.mock.calls).toEqual([['queued']]);
    await commands.execute(CommandIDs.release, { ids: ['held', 'queued'] });
    expect(api.release.mock.calls).toEqual([['held']]);
  });

  it('restart what has ended without a question', async () => {
    isSure = false;
    await commands.execute(CommandIDs.restart, { id: 'done' });
    expect(api.restart).toHaveBeenCalledWith('done');
  });

  it.each<[Deletion, unknown[], unknown[]]>([
    ['keep', [], []],
    ['stop', [], [['run1']]],
    [
      'delete',
      [
        ['run1', true],
        ['done', false]
      ],
      []
    ]
  ])('delete, answered by %j', async (answer, removed, stopped) => {
    decision = answer;
    await commands.execute(CommandIDs.deleteTasks, { ids: ['run1', 'done'] });
    expect(api.delete.mock.calls).toEqual(removed);
    expect(api.stop.mock.calls).toEqual(stopped);
  });

  it('have the server start tasks again as they were, and show them', async () => {
    await commands.execute(CommandIDs.runAgain, { ids: ['done', 'run1'] });
    expect(api.again.mock.calls).toEqual([['done'], ['run1']]);
    expect(open.mock.calls).toEqual([['done-again'], ['run1-again']]);
  });

  it('find a task that the list lacks because it was just started', async () => {
    await commands.execute(CommandIDs.runAgain, { id: 'late' });
    expect(api.again.mock.calls).toEqual([['late']]);
  });

  it.each([CommandIDs.rename, CommandIDs.runAgain])('say that a task is gone: %s', async id => {
    await commands.execute(id, { id: 'gone' });
    expect(api.again).not.toHaveBeenCalled();
    expect(showErrorMessage.mock.calls[0][1]).toBe('The task no longer exists on the server.');
  });

  it('do it with the others where one is gone', async () => {
    await commands.execute(CommandIDs.stop, { ids: ['run1', 'gone'] });
    expect(api.stop.mock.calls).toEqual([['run1']]);
    expect(showErrorMessage).toHaveBeenCalledTimes(1);
  });

  it('do it with the others where one fails, and say what went wrong', async () => {
    api.stop.mockRejectedValueOnce(new TaskError('gone', 404, 'task_not_found'));
    await commands.execute(CommandIDs.stop, { ids: ['run1', 'run2'] });
    expect(api.stop).toHaveBeenCalledTimes(2);
    expect(showErrorMessage).toHaveBeenCalledWith('Stop failed', 'gone');
  });
});
