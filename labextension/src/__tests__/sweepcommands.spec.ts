import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { addSweepCommands } from '../commands/sweeps';
import { sweepLabel } from '../format/queue';
import { sweepStandings } from '../services/sweeps';
import type { State } from '../services/types/states';
import { taskSchema, type ITask } from '../services/types/tasks';
import { CommandIDs, type ITaskModel } from '../tokens';
import sample from '../../../tests/contract/task.json';

const showErrorMessage = jest.fn();
const showDialog = jest.fn();
jest.mock('@jupyterlab/apputils', () => ({
  showErrorMessage: (...args: unknown[]) => showErrorMessage(...args),
  showDialog: (...args: unknown[]) => showDialog(...args),
  Dialog: { cancelButton: () => ({}), warnButton: () => ({}) }
}));

function tasksOf(id: string, states: readonly State[]): ITask[] {
  return states.map((state, number) => ({
    ...taskSchema.parse(sample),
    id: `${id}${number}`,
    state,
    sweep: { id, name: `name of ${id}` }
  }));
}

const done = async () => undefined;
const api = {
  changeSweep: jest.fn<Promise<void>, [string, string]>(done),
  deleteSweep: jest.fn<Promise<void>, [string, boolean]>(done)
};
const model = { api, tasks: [] as ITask[], refresh: jest.fn(done) };
const commands = new CommandRegistry();
const trans = nullTranslator.load('jupyter_ptytasks');
let current: string | null = null;
addSweepCommands({
  commands,
  model: model as unknown as ITaskModel,
  trans,
  current: () => current
});

beforeEach(() => {
  jest.clearAllMocks();
  current = 'a';
  model.tasks = [
    ...tasksOf('a', ['failed', 'lost', 'succeeded', 'cancelled', 'running', 'queued', 'queued']),
    ...tasksOf('b', ['held', 'queued']),
    ...tasksOf('c', ['succeeded', 'succeeded'])
  ];
});

describe('a sweep', () => {
  it('says how far it is, the newest first', () => {
    const said = [...sweepStandings(model.tasks).values()].map(one => sweepLabel(one, trans));
    expect(said).toEqual([
      '2 of 2 done',
      '0 of 2 done · 1 queued · 1 held',
      '4 of 7 done · 2 failed · 1 running · 2 queued'
    ]);
  });
});

describe('the commands about sweeps', () => {
  it('run again what failed, by one request, and say how much that is', async () => {
    expect(commands.label(CommandIDs.retrySweep)).toBe('Retry Failed of Sweep (2)');
    await commands.execute(CommandIDs.retrySweep);
    expect(api.changeSweep.mock.calls).toEqual([['a', 'retry']]);
    expect(model.refresh).toHaveBeenCalledTimes(1);
    expect(commands.isEnabled(CommandIDs.retrySweep, { sweep: 'c' })).toBe(false);
  });

  it('release what is held', async () => {
    expect(commands.isEnabled(CommandIDs.releaseSweep)).toBe(false);
    await commands.execute(CommandIDs.releaseSweep, { sweep: 'b' });
    expect(api.changeSweep.mock.calls).toEqual([['b', 'start']]);
  });

  it('cancel and delete only if that is wanted', async () => {
    showDialog.mockResolvedValue({ button: { accept: false } });
    await commands.execute(CommandIDs.cancelSweep);
    await commands.execute(CommandIDs.deleteSweep);
    expect(showDialog.mock.calls.map(([{ title, body }]) => [title, body])).toEqual([
      [
        'Cancel the sweep “name of a”?',
        '1 running task will be stopped. 2 waiting tasks will not start.'
      ],
      [
        'Delete the sweep “name of a”?',
        '7 tasks and their output will be deleted. 1 of them is running.'
      ]
    ]);
    expect(api.deleteSweep).not.toHaveBeenCalled();
    showDialog.mockResolvedValue({ button: { accept: true } });
    await commands.execute(CommandIDs.cancelSweep);
    await commands.execute(CommandIDs.deleteSweep);
    await commands.execute(CommandIDs.deleteSweep, { sweep: 'c' });
    expect(api.changeSweep.mock.calls).toEqual([['a', 'cancel']]);
    expect(api.deleteSweep.mock.calls).toEqual([
      ['a', true],
      ['c', false]
    ]);
    expect(commands.isEnabled(CommandIDs.cancelSweep, { sweep: 'c' })).toBe(false);
  });

  it('need a sweep, and say what went wrong', async () => {
    current = null;
    expect(commands.isEnabled(CommandIDs.deleteSweep)).toBe(false);
    api.changeSweep.mockRejectedValueOnce(new Error('no space left'));
    await commands.execute(CommandIDs.retrySweep, { sweep: 'a' });
    expect(showErrorMessage.mock.calls[0][1].message).toBe('no space left');
  });
});
