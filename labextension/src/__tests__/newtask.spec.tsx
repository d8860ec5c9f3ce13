import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';

import { TaskError } from '../services/api';
import { formOf } from '../forms/requests';
import { standings } from '../services/queue';
import { placeSchema } from '../services/types/places';
import { taskSchema } from '../services/types/tasks';
import { askForTask, type INewTask, type INewTaskOptions } from '../widgets/dialogs/newtask';
import sample from '../../../tests/contract/task.json';

const task = taskSchema.parse(sample);
const gpu = { name: 'gpu', slots: 4, gpus: null, paused: false, reason: '', ends: null };
const [GPU] = standings([], [gpu]).values();
const trans = nullTranslator.load('jupyter_ptytasks');

/** Lets promises, Lumino's messages and React have their turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

function find<T extends HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(`.jp-PtyTasks-dialog ${selector}`);
  if (!found) {
    throw new Error(`no ${selector}`);
  }
  return found;
}

function valueOf(name: string): string {
  return find<HTMLInputElement>(`[name=${name}]`).value;
}

function type(name: string, value: string): void {
  const field = find<HTMLInputElement | HTMLTextAreaElement>(`[name=${name}]`);
  // React keeps its own record of the value, that of the element's class goes past it.
  const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value');
  own?.set?.call(field, value);
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

function press(name: string, key: string, init: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
  const field = find(`[name=${name}]`);
  field.focus();
  field.dispatchEvent(event);
  return event;
}

const LOCAL = placeSchema.parse({
  name: 'local',
  kind: 'local',
  reachable: true,
  shares_files: true,
  queue: true
});
const BOX = placeSchema.parse({
  name: 'ssh:gpu1',
  kind: 'ssh',
  login: 'ssh gpu1',
  queue: true
});
const PBS = placeSchema.parse({ name: 'pbs', kind: 'parsl', shares_files: true });
const CLUSTER = placeSchema.parse({
  name: 'slurm',
  kind: 'slurm',
  shares_files: true,
  queue: true,
  resources: ['cpus', 'memory', 'gpus', 'time', 'partition', 'begin', 'requeue', 'extra']
});

function choose(name: string, value: string): void {
  const field = find<HTMLSelectElement>(`[name=${name}]`);
  field.value = value;
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

function has(name: string): boolean {
  return document.querySelector(`.jp-PtyTasks-dialog [name="${name}"]`) !== null;
}

describe('askForTask', () => {
  let start: jest.Mock;
  const optionsOf = jest.fn();
  let answer: INewTask | null | undefined;

  async function ask(options: Partial<INewTaskOptions> = {}): Promise<void> {
    answer = undefined;
    const asked = askForTask({
      form: formOf({ cwd: 'runs' }),
      commands: ['newest', 'older'],
      groups: ['default', 'label'],
      queues: [GPU],
      tasks: ['train'],
      places: [],
      optionsOf,
      openTerminal: true,
      trans,
      start,
      ...options
    });
    // What is still open at the end of a test is thrown away.
    asked.then(
      value => (answer = value),
      () => undefined
    );
    await settle();
  }

  beforeEach(() => {
    start = jest.fn().mockResolvedValue(task);
    const gpu = { name: 'gpu', default: true };
    optionsOf.mockReset().mockResolvedValue({ partitions: [gpu], accounts: [], qos: [] });
  });

  afterEach(async () => {
    Dialog.flush();
    await settle();
  });

  it('begins in the field of the command, and starts by Ctrl+Enter', async () => {
    await ask();
    expect(document.activeElement).toBe(find('[name=command]'));
    type('command', 'make\nmake test');
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    const request = { command: 'make\nmake test', cwd: 'runs', if_exists: 'new' };
    expect(start).toHaveBeenCalledWith(request, null);
    expect(answer).toEqual({ task, request, openTerminal: true });
    expect(document.querySelector('.jp-PtyTasks-dialog')).toBeNull();
  });

  it('asks where only if there is a choice', async () => {
    await ask({ places: [LOCAL] });
    expect(has('place')).toBe(false);
    expect(has('start')).toBe(true);
  });

  it('says what to do about a host, whose directories are its own', async () => {
    await ask({ places: [LOCAL, BOX], form: formOf({ command: 'make', cwd: 'runs' }) });
    const choice = find<HTMLSelectElement>('[name=place]');
    expect([...choice.options].map(({ text }) => text)).toEqual([
      'This server',
      'gpu1 (needs a login)'
    ]);
    choose('place', 'ssh:gpu1');
    await settle();
    expect(document.body.textContent).toContain('It needs a login: run `ssh gpu1` in a terminal.');
    expect([has('start'), has('resources.cpus'), valueOf('cwd')]).toEqual([true, false, '']);
    start.mockRejectedValueOnce(new TaskError('gpu1 is away', 503, 'place_unreachable'));
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    expect(document.activeElement).toBe(find('[name=place]'));
    expect(find('[role=alert]').textContent).toBe('gpu1 is away');
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    const request = { command: 'make', place: 'ssh:gpu1', if_exists: 'new' };
    expect(start).toHaveBeenLastCalledWith(request, null);
    expect(answer?.request).toEqual(request);
  });

  it('queues and holds tasks for another place, whose GPUs are among its resources', async () => {
    const form = formOf({ command: 'make', group: 'gpu', gpus: 2 }, ['gpu']);
    await ask({ places: [LOCAL, BOX, PBS], form });
    expect([valueOf('start'), valueOf('gpus')]).toEqual(['in:gpu', '2']);
    choose('place', 'pbs');
    await settle();
    expect([has('start'), has('group')]).toEqual([false, true]);
    choose('place', 'ssh:gpu1');
    await settle();
    expect([valueOf('start'), has('gpus'), has('group')]).toEqual(['in:gpu', false, false]);
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    const request = { command: 'make', place: 'ssh:gpu1', if_exists: 'new' } as const;
    expect(start).toHaveBeenLastCalledWith({ ...request, group: 'gpu' }, null);
    await ask({ places: [LOCAL, BOX], form: formOf({ ...request, hold: true }) });
    expect(valueOf('start')).toBe('held');
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    expect(start).toHaveBeenLastCalledWith({ ...request, hold: true }, null);
  });

  it('has the directory of each machine again when it is chosen again', async () => {
    await ask({ places: [LOCAL, BOX, CLUSTER] });
    choose('place', 'ssh:gpu1');
    await settle();
    type('cwd', 'there');
    choose('place', 'slurm');
    await settle();
    expect(valueOf('cwd')).toBe('runs');
    choose('place', 'ssh:gpu1');
    await settle();
    expect(valueOf('cwd')).toBe('there');
  });

  it('asks for the resources that a place takes, and shows which one is refused', async () => {
    const form = formOf({ command: 'make', place: 'slurm', resources: { memory: '8G' } });
    await ask({ places: [LOCAL, CLUSTER], form });
    expect(find<HTMLDetailsElement>('details').open).toBe(true);
    expect(has('resources.account')).toBe(false);
    expect(find<HTMLInputElement>('[name="resources.partition"]').placeholder).toBe('gpu');
    type('"resources.cpus"', '4');
    type('"resources.time"', '2h');
    type('"resources.begin"', '18:00');
    choose('"resources.requeue"', 'yes');
    type('"resources.extra"', ' --exclusive  --nice=5 ');
    choose('start', 'held');
    const wrong = new TaskError(
      'resources.memory: no such size',
      400,
      'bad_request',
      'resources.memory'
    );
    start.mockRejectedValueOnce(wrong);
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    expect(document.activeElement).toBe(find('[name="resources.memory"]'));
    expect(find('[role=alert]').textContent).toBe('no such size');
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    const resources = {
      ...{ cpus: 4, memory: '8G', time: '2h', begin: '18:00', requeue: true },
      extra: ['--exclusive', '--nice=5']
    };
    expect(start.mock.lastCall?.[0]).toMatchObject({ place: 'slurm', resources, hold: true });
    // Started once more, the fields are filled in as they were.
    const again = formOf({ command: 'make', place: 'slurm', resources, hold: true });
    expect(again).toMatchObject({
      ...{ start: 'held', 'resources.requeue': 'yes', 'resources.cpus': '4' },
      'resources.extra': '--exclusive --nice=5'
    });
  });

  it('sends no resources to a place that takes none', async () => {
    const form = formOf({ command: 'make', place: 'slurm', resources: { memory: '8G' } });
    await ask({ places: [LOCAL, CLUSTER], form });
    choose('place', 'local');
    await settle();
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    expect(start).toHaveBeenCalledWith({ command: 'make', if_exists: 'new' }, null);
  });

  it('offers queues, and a new one', async () => {
    await ask({ form: formOf({ command: 'make', group: 'gpu' }, ['gpu']) });
    const choice = find<HTMLSelectElement>('[name=start]');
    expect([...choice.options].map(({ text }) => text)).toEqual([
      'Now',
      'Queue in gpu (0 of 4 running)',
      'Queue in a new group…',
      'When I release it'
    ]);
    expect(choice.value).toBe('in:gpu');
    expect(document.querySelector('[name=group]')).toBeNull();
    choice.value = 'new';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    await settle();
    press('name', 'Enter');
    await settle();
    expect(document.activeElement).toBe(find('[name=newGroup]'));
    type('newGroup', 'night');
    type('slots', '2');
    type('after', 'train, prepare:any');
    type('retry', '3');
    press('name', 'Enter');
    await settle();
    const request = {
      command: 'make',
      group: 'night',
      after: ['train', { ref: 'prepare', when: 'any' }],
      retry: { max: 3 },
      if_exists: 'new'
    };
    expect(start).toHaveBeenCalledWith(request, { name: 'night', slots: 2 });
  });

  it('asks for GPUs where the task waits for its turn, and blames the field', async () => {
    const gpus = () => document.querySelector<HTMLInputElement>('[name=gpus]');
    await ask({ form: formOf({ command: 'make', group: 'gpu' }, ['gpu']) });
    expect(gpus()?.value).toBe('');
    const choice = find<HTMLSelectElement>('[name=start]');
    choice.value = 'now';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    await settle();
    expect(gpus()).toBeNull();
    choice.value = 'in:gpu';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    await settle();
    type('gpus', '1.5');
    press('gpus', 'Enter');
    await settle();
    expect(start).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(gpus());
    expect(gpus()?.getAttribute('aria-invalid')).toBe('true');
    type('gpus', '0.5');
    await settle();
    expect(gpus()?.hasAttribute('aria-invalid')).toBe(false);
    press('gpus', 'Enter');
    await settle();
    const request = { command: 'make', group: 'gpu', gpus: 0.5, if_exists: 'new' };
    expect(start).toHaveBeenCalledWith(request, null);
  });

  it('keeps GPUs in sight that were asked for', async () => {
    await ask({ form: formOf({ command: 'make', gpus: 2 }) });
    expect(valueOf('gpus')).toBe('2');
    type('gpus', '');
    await settle();
    expect(valueOf('gpus')).toBe('');
  });

  it('leaves Enter to the field of several lines', async () => {
    await ask();
    expect(press('command', 'Enter').defaultPrevented).toBe(false);
    await settle();
    expect(start).not.toHaveBeenCalled();
  });

  it('starts by Enter in a field of one line, and once only', async () => {
    await ask({ form: formOf({ command: 'make' }) });
    press('name', 'Enter');
    press('name', 'Enter');
    await settle();
    expect(start).toHaveBeenCalledTimes(1);
    expect(answer?.task).toBe(task);
  });

  it('goes round by Tab, through all of it', async () => {
    await ask();
    find('.jp-Dialog-footer button:last-child').focus();
    const event = new KeyboardEvent('keydown', { key: 'Tab', bubbles: true, cancelable: true });
    document.activeElement?.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
    expect(document.activeElement).toBe(find('.jp-Dialog-close-button'));
  });

  it('leaves the focus where it is, however late the browser is idle', async () => {
    const idle: (() => void)[] = [];
    const before = window.requestIdleCallback;
    window.requestIdleCallback = callback => idle.push(callback as () => void);
    try {
      await ask();
      expect(document.activeElement).toBe(find('[name=command]'));
      find('[name=cwd]').focus();
      idle.forEach(callback => callback());
      await settle();
      expect(document.activeElement).toBe(find('[name=cwd]'));
    } finally {
      window.requestIdleCallback = before;
    }
  });

  it('gives nothing when it is closed', async () => {
    await ask();
    press('command', 'Escape');
    await settle();
    expect(answer).toBeNull();
    expect(start).not.toHaveBeenCalled();
  });

  it('stays open when the server refuses, and blames the field', async () => {
    start.mockRejectedValueOnce(new TaskError('no such place', 400, 'bad_request', 'cwd'));
    await ask();
    type('command', 'make');
    press('command', 'Enter', { ctrlKey: true });
    await settle();
    expect(answer).toBeUndefined();
    const field = find('[name=cwd]');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement).toBe(field);
    const error = document.getElementById(field.getAttribute('aria-describedby') ?? '');
    expect(error?.textContent).toBe('no such place');
    expect(valueOf('command')).toBe('make');

    type('cwd', 'there');
    await settle();
    expect(field.hasAttribute('aria-invalid')).toBe(false);
    press('cwd', 'Enter');
    await settle();
    expect(answer?.request.cwd).toBe('there');
  });

  it.each([
    ['tags', new TaskError('too long', 400, 'bad_request', 'tags.0')],
    ['name', new TaskError('is running', 409, 'name_in_use')]
  ])('unfolds and blames %s', async (name, error) => {
    start.mockRejectedValueOnce(error);
    await ask({ form: formOf({ command: 'make' }) });
    press('name', 'Enter');
    await settle();
    expect(find<HTMLDetailsElement>('details').open).toBe(name === 'tags');
    expect(find(`[name=${name}]`).getAttribute('aria-invalid')).toBe('true');
  });

  it('says what no field is to blame for', async () => {
    start.mockRejectedValueOnce(new TaskError('too many tasks', 429, 'too_many_tasks'));
    await ask({ form: formOf({ command: 'make' }) });
    press('name', 'Enter');
    await settle();
    expect(find('.jp-PtyTasks-refused').textContent).toBe('too many tasks');
  });

  it('brings back what was run before, and what was being typed', async () => {
    await ask();
    type('command', 'mine');
    const seen: string[] = [];
    for (const key of ['ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowDown', 'ArrowDown', 'ArrowDown']) {
      press('command', key);
      await settle();
      seen.push(valueOf('command'));
    }
    expect(seen).toEqual(['newest', 'older', 'older', 'newest', 'mine', 'mine']);
  });

  it('keeps everything while a directory is chosen', async () => {
    const chooseDirectory = jest.fn().mockResolvedValueOnce('data').mockResolvedValueOnce(null);
    await ask({ chooseDirectory });
    type('command', 'make');
    find<HTMLInputElement>('.jp-Dialog-checkbox input').checked = false;
    for (let time = 0; time < 2; time++) {
      find('.jp-PtyTasks-control button').click();
      await settle();
      await settle();
      expect([valueOf('command'), valueOf('cwd')]).toEqual(['make', 'data']);
    }
    expect(chooseDirectory.mock.calls).toEqual([['runs'], ['data']]);
    press('cwd', 'Enter');
    await settle();
    expect(answer?.openTerminal).toBe(false);
  });
});
