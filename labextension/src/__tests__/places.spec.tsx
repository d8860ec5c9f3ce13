import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { act } from 'react';

import { outOfReach } from '../format/places';
import { waitLabel } from '../format/queue';
import { taskSchema, type ITask } from '../services/types/tasks';
import { WaitingPage } from '../widgets/terminal/waiting';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const NOW = Date.parse('2026-11-21T12:00:00Z');
const far: ITask = { ...taskSchema.parse(sample), place: 'ssh:gpu1' };
const job = { node: null, reason: 'Resources', starts: null };

const queued: ITask = {
  ...far,
  place: 'slurm',
  state: 'queued',
  state_message: 'waits for resources',
  job
};

describe('waitLabel', () => {
  const starting = (starts: string): ITask => ({ ...queued, job: { ...job, starts } });

  it('says why a task waits at its place, and until when', () => {
    expect(waitLabel(queued, NOW, trans)).toBe('waits for resources');
    const label = waitLabel(starting('2026-11-21T12:20:00Z'), NOW, trans);
    expect(label).toMatch(/^waits for resources, ~\d\d:20( [AP]M)?$/);
    // Another day is named, and what was expected earlier is not.
    expect(waitLabel(starting('2026-11-25T12:20:00Z'), NOW, trans)).toMatch(/, ~.*25.*:20/);
    expect(waitLabel(starting('2027-11-21T12:20:00Z'), NOW, trans)).toMatch(/, ~.*2027.*:20/);
    expect(waitLabel(starting('2026-11-21T11:00:00Z'), NOW, trans)).toBe('waits for resources');
  });

  it('has the words of the batch system if there are no others', () => {
    expect(waitLabel({ ...queued, state_message: '' }, NOW, trans)).toBe('Resources');
    expect(waitLabel({ ...queued, state_message: '', job: null }, NOW, trans)).toBe('');
  });
});

describe('outOfReach', () => {
  it('says that a host is not reachable, and nothing while nobody needs to be connected', () => {
    const cut = { ...far, connected: false, state_message: 'gpu1 is not reachable' };
    expect(outOfReach(cut, trans)).toBe('Not connected: gpu1 is not reachable');
    expect(outOfReach({ ...cut, state_message: '' }, trans)).toBe('');
    expect(outOfReach({ ...cut, connected: true }, trans)).toBe('');
    expect(outOfReach({ ...cut, place: 'local' }, trans)).toBe('');
    expect(outOfReach({ ...cut, state: 'lost' }, trans)).toBe('');
  });
});

describe('WaitingPage', () => {
  const onChange = jest.fn();
  let known: ITask | undefined;
  const model = { changed: new Signal<object, void>({}), get: () => known };
  const connection = {
    name: far.id,
    link: 'connected',
    task: undefined as ITask | undefined,
    changed: new Signal<object, void>({})
  };
  let page: WaitingPage;

  const tell = async (task: ITask): Promise<void> => {
    await act(async () => {
      known = task;
      model.changed.emit();
      await page.renderPromise;
    });
  };

  beforeEach(async () => {
    (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
    onChange.mockReset();
    known = undefined;
    connection.task = undefined;
    page = new WaitingPage({
      model: model as never,
      connection: connection as never,
      onChange,
      trans
    });
    await act(async () => {
      Widget.attach(page, document.body);
      MessageLoop.flush();
    });
  });

  afterEach(() => act(() => page.dispose()));

  it('says why a task waits, and goes when it starts', async () => {
    expect(page.isHidden).toBe(true);
    await tell(queued);
    expect(page.isHidden).toBe(false);
    expect(page.node.textContent).toContain('waits for resources');
    expect(page.node.querySelector('.jp-PtyTasks-place')?.textContent).toBe('slurm');
    // The connection may know earlier.
    connection.task = { ...queued, state: 'running' };
    await act(async () => connection.changed.emit());
    expect([page.isHidden, page.isWaiting]).toEqual([true, false]);
    expect(onChange).toHaveBeenCalledTimes(2);
  });

  it('is there for the queue of this machine, too', async () => {
    const queue = { position: 2, text: '1 of 1 slots are used', starts: null };
    await tell({ ...far, place: 'local', state: 'queued', queue });
    expect(page.node.textContent).toContain('Queued, #2');
    expect(page.node.textContent).toContain('1 of 1 slots are used');
    expect(page.node.querySelector('.jp-PtyTasks-place')).toBeNull();
  });
});
