import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import {
  addStartCommands,
  createIn,
  openTerminal,
  queuesOf,
  usual,
  type IStartOptions
} from '../commands/start';
import type { IGroup } from '../services/types/groups';
import { placeSchema } from '../services/types/places';
import { taskSchema } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';
import { askForTask } from '../widgets/dialogs/newtask';
import sample from '../../../tests/contract/task.json';

jest.mock('../widgets/dialogs/newtask', () => ({ askForTask: jest.fn(async () => null) }));

const task = taskSchema.parse(sample);
const DEFAULT: IGroup = {
  name: 'default',
  slots: null,
  gpus: null,
  paused: false,
  reason: '',
  ends: null
};

const api = {
  create: jest.fn(async () => task),
  setGroup: jest.fn(async () => undefined),
  deleteGroup: jest.fn(async () => undefined)
};
const model = { api, tasks: [task], groups: [DEFAULT, { ...DEFAULT, name: 'gpu', slots: 4 }] };

async function create(name: string | null): Promise<void> {
  const group = name === null ? null : { name, slots: 2 };
  await createIn(model as unknown as ITaskModel, { command: 'make' }, group).catch(() => undefined);
}

beforeEach(() => {
  jest.clearAllMocks();
});

describe('createIn', () => {
  it('configures a new group before', async () => {
    await create(null);
    expect(api.setGroup).not.toHaveBeenCalled();
    await create('night');
    expect(api.setGroup).toHaveBeenCalledWith('night', { slots: 2 });
    expect(api.create).toHaveBeenCalledTimes(2);
    expect(api.deleteGroup).not.toHaveBeenCalled();
  });

  it('leaves nothing of it if the task cannot be created', async () => {
    for (const name of ['night', 'gpu']) {
      api.create.mockRejectedValueOnce(new Error('no such directory'));
      await create(name);
    }
    expect(api.deleteGroup.mock.calls).toEqual([['night']]);
  });
});

describe('queuesOf', () => {
  it('has the groups in which tasks wait for their turns', () => {
    const shared = { ...DEFAULT, name: 'shared', gpus: 'all' };
    const all = { ...model, groups: [...model.groups, shared] };
    const queues = queuesOf(all as unknown as ITaskModel);
    expect(queues.map(({ group }) => group.name)).toEqual(['gpu', 'shared']);
  });
});

describe('usual', () => {
  const last = { place: 'slurm', resources: { cpus: 4 } };

  it('is what the last task had, unless it is given or no longer there', () => {
    const places = [placeSchema.parse({ name: 'slurm' })];
    expect(usual({ cwd: 'runs' }, last, places)).toEqual({ cwd: 'runs', ...last });
    expect(usual({ place: 'local' }, last, places)).toEqual({ ...last, place: 'local' });
    expect(usual({}, last, [])).toEqual({ resources: { cpus: 4 } });
    expect(usual({}, undefined, places)).toEqual({});
  });
});

describe('openTerminal', () => {
  it('shows what a task waits for at another place, not in a queue of this machine', async () => {
    const commands = new CommandRegistry();
    const open = jest.fn();
    commands.addCommand('ptytasks:open', { execute: open });
    await openTerminal(commands, { ...task, state: 'queued' });
    expect(open).not.toHaveBeenCalled();
    await openTerminal(commands, { ...task, state: 'queued', place: 'slurm' });
    expect(open).toHaveBeenCalledTimes(1);
  });
});

describe('New Task for a file', () => {
  const names = async (args: object): Promise<[string[], string]> => {
    const places = [
      placeSchema.parse({ name: 'local', shares_files: true }),
      placeSchema.parse({ name: 'slurm', shares_files: true }),
      placeSchema.parse({ name: 'ssh:gpu1' })
    ];
    const commands = new CommandRegistry();
    const where = { place: 'slurm', resources: { cpus: 4 } };
    const history = { load: async () => ({ commands: [], openTerminal: true, where }) };
    addStartCommands(commands, {
      model: { ...model, tasks: [], api: { ...api, places: async () => places } },
      history,
      trans: nullTranslator.load(''),
      directory: () => ''
    } as unknown as IStartOptions);
    await commands.execute('ptytasks:new-task', { command: 'python a.py', ...args });
    const [asked] = jest.mocked(askForTask).mock.lastCall ?? [];
    return [asked?.places.map(({ name }) => name) ?? [], asked?.form.place ?? ''];
  };

  it('offers the places that have it, first the last one', async () => {
    expect(await names({ file: true })).toEqual([['local', 'slurm'], 'slurm']);
    expect(await names({ file: true, queue: true })).toEqual([['local', 'slurm'], 'local']);
    expect(await names({})).toEqual([['local', 'slurm', 'ssh:gpu1'], 'local']);
  });
});
