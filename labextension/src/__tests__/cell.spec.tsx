import { Sanitizer } from '@jupyterlab/apputils';
import { MimeModel } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { act } from 'react';

import { TaskError, type TaskApi } from '../services/api';
import { taskSchema, type ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';
import { MIME_TYPE, TaskCell } from '../widgets/cell/cell';
import { PROGRESS, USAGE } from './samples';
import { mockSight } from './sight';
import sample from '../../../tests/contract/task.json';

const task: ITask = taskSchema.parse(sample);
const OUTPUT = new TextEncoder().encode('\u001b[32mepoch 7\u001b[0m <b>\n');

describe('TaskCell', () => {
  let cell: TaskCell;
  let known: ITask[];
  let setSight: (isInSight: boolean) => void;
  const actions = { open: jest.fn(), showReason: jest.fn(), stop: jest.fn(), restart: jest.fn() };
  const api = {
    raw: jest.fn(async (_id: string, from: number) => ({
      data: OUTPUT.slice(from),
      offset: from,
      end: OUTPUT.length
    })),
    stats: jest.fn(async () => ({ usage: null, samples: [] })),
    answer: jest.fn(async () => undefined)
  };
  const model = {
    isReady: true,
    error: null as TaskError | null,
    api: api as unknown as TaskApi,
    get: (id: string) => known.find(one => one.id === id),
    unreadable: [],
    current: async () => undefined,
    refresh: async () => undefined
  } as unknown as { -readonly [key in keyof ITaskModel]: ITaskModel[key] };
  const changed = new Signal<ITaskModel, void>(model);

  const draw = (bundle: object, plain = '') =>
    act(async () => {
      const data = { [MIME_TYPE]: JSON.parse(JSON.stringify(bundle)), 'text/plain': plain };
      await cell.renderModel(new MimeModel({ data }));
      await jest.advanceTimersByTimeAsync(100);
    });
  const tell = (tasks: ITask[]) =>
    act(async () => {
      known = tasks;
      changed.emit();
      await jest.advanceTimersByTimeAsync(100);
    });
  const button = (name: string) =>
    cell.node.querySelector<HTMLButtonElement>(`button[aria-label^="${name} "]`);
  const said = () => cell.node.textContent;

  beforeAll(() => {
    (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
    setSight = mockSight();
  });

  beforeEach(() => {
    jest.clearAllMocks();
    jest.useFakeTimers();
    setSight(true);
    known = [task];
    Object.assign(model, { changed, error: null });
    cell = new TaskCell({
      model,
      actions,
      sanitizer: new Sanitizer(),
      translator: nullTranslator
    });
    act(() => Widget.attach(cell, document.body));
  });

  afterEach(() => {
    act(() => cell.dispose());
    jest.useRealTimers();
  });

  const SNAPSHOT = { version: 1, task, tail: 'as it was' };

  it('shows the task as it is, not as it was', async () => {
    known = [
      {
        ...task,
        state: 'failed',
        ended: '2026-11-21T07:00:00.000Z',
        exit: { code: 3, signal: null },
        state_message: 'ValueError: bad rate',
        usage: { ...USAGE, peak: { ...USAGE.peak, cpu: 390 } }
      }
    ];
    await draw(SNAPSHOT);
    expect(said()).toContain('Failed · exit 3');
    expect(said()).toContain('ValueError: bad rate');
    expect(said()).toContain('Peak 390%');
    expect(said()).not.toContain('as it was');
    expect(button('Stop')).toBeNull();
    expect(button('Restart')).not.toBeNull();
  });

  it('shows the line that says why it failed, on a click', async () => {
    const failed: ITask = { ...task, state: 'failed', state_message: 'ValueError: bad rate' };
    const why = () => cell.node.querySelector<HTMLButtonElement>('.jp-PtyTasks-why');
    known = [failed];
    await draw(SNAPSHOT);
    expect(why()?.textContent).toBe('ValueError: bad rate');
    act(() => why()?.click());
    expect(actions.showReason).toHaveBeenCalledWith(task.id);
    // The notebook does not take the key that activates it.
    const onKey = jest.fn();
    document.body.addEventListener('keydown', onKey);
    why()?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    document.body.removeEventListener('keydown', onKey);
    expect(onKey).not.toHaveBeenCalled();
    // The output is gone where the task is.
    Object.assign(model, { error: new TaskError('no answer', 0, 'unreachable') });
    act(() => changed.emit());
    expect(why()).toBeNull();
    expect(said()).toContain('ValueError: bad rate');
  });

  it('shows what the program asks while that is known', async () => {
    const waiting = { kind: 'line', prompt: 'Proceed? [y/N] ', since: '', sure: true } as const;
    known = [{ ...task, waiting }];
    await draw(SNAPSHOT);
    expect(cell.node.querySelector('[title="Waits for input: Proceed? [y/N]"]')).not.toBeNull();
    Object.assign(model, { error: new TaskError('no answer', 0, 'unreachable') });
    act(() => changed.emit());
    expect(cell.node.querySelector('.jp-PtyTasks-question')).toBeNull();
    expect(cell.node.querySelector('input')).toBeNull();
  });

  it('takes a password, and leaves it neither on the page nor in the output', async () => {
    const waiting = { kind: 'password', prompt: 'Password: ', since: '', sure: true } as const;
    known = [{ ...task, waiting }];
    const model = new MimeModel({ data: { [MIME_TYPE]: JSON.parse(JSON.stringify(SNAPSHOT)) } });
    await act(async () => {
      await cell.renderModel(model);
      await jest.advanceTimersByTimeAsync(100);
    });
    const input = cell.node.querySelector('input') as HTMLInputElement;
    expect(input.type).toBe('password');
    await act(async () => {
      input.value = 'correct horse';
      input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    });
    const secret = { data: 'correct horse', newline: true, secret: true };
    expect(api.answer).toHaveBeenCalledWith(task.id, secret);
    expect(input.value).toBe('');
    expect(JSON.stringify(model.data)).not.toContain('correct horse');
    expect(cell.node.outerHTML).not.toContain('correct horse');
  });

  it('opens the terminal of a program that reads keys', async () => {
    const waiting = { kind: 'keys', prompt: '(Pdb) ', since: '', sure: true } as const;
    known = [{ ...task, waiting }];
    await draw(SNAPSHOT);
    const open = [...cell.node.querySelectorAll('button')].find(
      ({ textContent }) => textContent === 'Open Terminal'
    );
    act(() => open?.click());
    expect(actions.open).toHaveBeenCalledWith(task.id);
  });

  it('draws the last lines in color, and as text', async () => {
    await draw(SNAPSHOT);
    const tail = cell.node.querySelector('.jp-PtyTasks-tail');
    expect(tail?.textContent).toBe('epoch 7 <b>');
    expect(tail?.querySelector('.ansi-green-fg')?.textContent).toBe('epoch 7');
  });

  it('follows the task', async () => {
    await draw(SNAPSHOT);
    expect(said()).toContain('Running');
    const updated = new Date().toISOString();
    await tell([{ ...task, progress: { ...PROGRESS, updated, eta: 61, text: 'Epoch 5/10' } }]);
    expect(said()).toMatch(/50% · 1m 0[01]s left/);
    expect(said()).toContain('Epoch 5/10');
    await tell([{ ...task, state: 'succeeded', ended: task.started }]);
    expect(said()).toContain('Succeeded');
  });

  it('has buttons for what can be done', async () => {
    await draw(SNAPSHOT);
    act(() => button('Open')?.click());
    act(() => button('Stop')?.click());
    act(() => button('Restart')?.click());
    for (const action of [actions.open, actions.stop, actions.restart]) {
      expect(action).toHaveBeenCalledWith(task.id);
    }
  });

  it('keeps the keys of its buttons from the notebook', async () => {
    await draw(SNAPSHOT);
    const onKey = jest.fn();
    document.body.addEventListener('keydown', onKey);
    for (const key of ['Enter', ' ', 'a']) {
      button('Stop')?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    }
    document.body.removeEventListener('keydown', onKey);
    expect(onKey.mock.calls.map(([event]: KeyboardEvent[]) => event.key)).toEqual(['a']);
  });

  it('shows what was seen last of a task that is gone', async () => {
    known = [];
    await draw({ ...SNAPSHOT, task: { ...task, progress: { ...PROGRESS, eta: 61 } } });
    expect(said()).toContain('Last seen: Running');
    expect(said()).toContain('as it was');
    expect(said()).toContain('no longer exists on the server');
    expect(said()).not.toContain('left');
    expect(said()).not.toContain('as of');
    expect(cell.node.querySelector('button')).toBeNull();
  });

  it('shows when that was, if the output says so', async () => {
    known = [];
    const time = '2026-11-21T06:00:00.000+00:00';
    await draw({ ...SNAPSHOT, as_of: time });
    expect(said()).toContain(`Last seen: Running · as of ${new Date(time).toLocaleString()}`);
  });

  it.each([
    [new TaskError('no', 0, 'unreachable'), 'cannot be reached'],
    [new TaskError('no', 404, 'not_ours'), 'not available on this server'],
    [new TaskError('no', 503, 'disabled'), 'not available on this server']
  ])('shows what was seen last while the server does not tell: %s', async (error, note) => {
    known = [];
    model.error = error;
    await draw(SNAPSHOT);
    expect(said()).toContain('Last seen: Running');
    expect(said()).toContain(note);
    expect(api.raw).not.toHaveBeenCalled();
    model.error = null;
    await tell([task]);
    expect(said()).not.toContain(note);
    expect(said()).toContain('epoch 7');
  });

  it('asks nothing and draws no second while it is out of sight', async () => {
    await draw(SNAPSHOT);
    setSight(false);
    jest.clearAllMocks();
    const before = said();
    await act(async () => jest.advanceTimersByTimeAsync(10_000));
    expect(api.raw).not.toHaveBeenCalled();
    expect(api.stats).not.toHaveBeenCalled();
    expect([said(), jest.getTimerCount()]).toEqual([before, 0]);
    setSight(true);
    await act(async () => jest.advanceTimersByTimeAsync(100));
    expect(api.raw).toHaveBeenCalledTimes(1);
  });

  it('asks nothing once it is detached', async () => {
    await draw(SNAPSHOT);
    act(() => Widget.detach(cell));
    jest.clearAllMocks();
    await act(async () => jest.advanceTimersByTimeAsync(10_000));
    expect(api.raw).not.toHaveBeenCalled();
  });

  it('shows another task when it is told to', async () => {
    const other = { ...task, id: 'other', name: 'evaluate' };
    known = [task, other];
    await draw(SNAPSHOT);
    await draw({ ...SNAPSHOT, task: other });
    expect(said()).toContain('evaluate');
    expect(api.raw).toHaveBeenLastCalledWith('other', 0, expect.anything(), expect.anything());
    act(() => button('Open')?.click());
    expect(actions.open).toHaveBeenCalledWith('other');
  });

  it.each([
    ['a version to come', { ...SNAPSHOT, version: 2 }],
    ['something else', { version: 1, task: { id: 'x' } }]
  ])('gives the text that came with %s', async (_, bundle) => {
    await draw(bundle, 'Task train: running');
    expect(said()).toContain('Task train: running');
    expect(api.raw).not.toHaveBeenCalled();
  });
});
