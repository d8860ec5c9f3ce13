import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { act } from 'react';

import { TaskError, type TaskApi } from '../services/api';
import type { IGroup } from '../services/types/groups';
import type { IUnreadable } from '../services/types/lists';
import type { IStatus } from '../services/types/service';
import { taskSchema, type ITask } from '../services/types/tasks';
import { WatchedValue } from '../services/watchedvalue';
import type { ISeenTasks, ITaskModel } from '../tokens';
import { TasksPanel } from '../widgets/panel/panel';
import type { IRowActions } from '../widgets/panel/row';
import { PROGRESS } from './samples';
import sample from '../../../tests/contract/task.json';

const NOW = new Date('2026-11-21T06:00:00Z');

class FakeModel {
  tasks: readonly ITask[] = [];
  groups: readonly IGroup[] = [];
  unreadable: readonly IUnreadable[] = [];
  isReady = false;
  error: TaskError | null = null;
  isDisposed = false;
  readonly changed = new Signal<this, void>(this);
  readonly stateChanged = new Signal<this, never>(this);
  readonly disposed = new Signal<this, void>(this);
  readonly tail = jest.fn(async () => ({
    output: 'epoch 7\n',
    first_line: 0,
    next_line: 1,
    total_lines: 1,
    ended: false
  }));
  readonly status = jest.fn(async (): Promise<IStatus> => ({ storage: null }));
  readonly api = { tail: this.tail, status: this.status } as unknown as TaskApi;
  get = (id: string) => this.tasks.find(task => task.id === id);
  refresh = jest.fn(async () => undefined);
  current = async () => undefined;
  dispose = () => undefined;

  tell(
    changes: Partial<Pick<FakeModel, 'tasks' | 'groups' | 'unreadable' | 'isReady' | 'error'>>
  ): void {
    act(() => {
      Object.assign(this, changes);
      this.changed.emit();
    });
  }
}

class FakeSeen implements ISeenTasks {
  unseen: readonly ITask[] = [];
  readonly changed = new Signal<this, void>(this);
  readonly looked = new Signal<this, readonly string[]>(this);
  readonly see = jest.fn();
}

function task(changes: Partial<ITask>): ITask {
  return { ...taskSchema.parse(sample), started: NOW.toISOString(), ...changes };
}

const RUNNING = task({ id: 'running', name: 'train', viewers: 2 });
const FAILED = task({
  id: 'failed',
  name: 'broken',
  state: 'failed',
  ended: NOW.toISOString(),
  exit: { code: 3, signal: null }
});

describe('TasksPanel', () => {
  let model: FakeModel;
  let seen: FakeSeen;
  let panel: TasksPanel;
  const ofRow = {
    showReason: jest.fn(),
    stop: jest.fn(),
    restart: jest.fn(),
    delete: jest.fn(),
    release: jest.fn(),
    move: jest.fn(),
    pauseGroup: jest.fn(),
    resumeGroup: jest.fn(),
    setSlots: jest.fn(),
    retrySweep: jest.fn()
  };
  const actions = {
    create: jest.fn(),
    open: jest.fn(),
    delete: jest.fn(),
    rename: jest.fn(),
    ofRow: new WatchedValue<IRowActions>(ofRow)
  };

  const find = (selector: string) => panel.node.querySelector<HTMLElement>(selector);
  const row = (id: string) => find(`[data-task="${id}"]`) as HTMLElement;
  const press = (key: string, init: KeyboardEventInit = {}) =>
    act(() => {
      find('[role="treegrid"]')?.dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, ...init })
      );
    });
  const click = (node: HTMLElement | null, init: MouseEventInit = {}) =>
    act(() => {
      node?.dispatchEvent(new MouseEvent('click', { bubbles: true, ...init }));
    });

  beforeAll(() => {
    (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
    // Nothing has a size here, and a virtual list shows what it has room for.
    jest.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockImplementation(function (
      this: HTMLElement
    ) {
      return this.getAttribute('role') === 'row' ? 60 : 400;
    });
    jest.spyOn(HTMLElement.prototype, 'offsetWidth', 'get').mockReturnValue(300);
    Element.prototype.scrollTo = () => undefined;
  });

  beforeEach(async () => {
    jest.clearAllMocks();
    jest.useFakeTimers({ now: NOW });
    actions.ofRow.value = ofRow;
    model = new FakeModel();
    seen = new FakeSeen();
    panel = new TasksPanel({
      model: model as unknown as ITaskModel,
      seen,
      translator: nullTranslator,
      actions
    });
    await act(async () => {
      Widget.attach(panel, document.body);
      await jest.advanceTimersByTimeAsync(100);
    });
  });

  afterEach(() => {
    act(() => panel.dispose());
    jest.useRealTimers();
  });

  it('says what it waits for, and teaches where there is nothing', () => {
    expect(panel.node.textContent).toContain('Loading tasks…');
    model.tell({ isReady: true });
    click(find('.jp-mod-accept'));
    expect(actions.create).toHaveBeenLastCalledWith();
    click(find('.jp-PtyTasks-plain'));
    expect(actions.create).toHaveBeenLastCalledWith(expect.stringContaining('echo'));
  });

  it('says how the extension is enabled', () => {
    model.tell({ error: new TaskError('Not Found', 404, 'not_ours') });
    expect(find('[role="alert"]')?.textContent).toContain(
      'jupyter server extension enable jupyter_ptytasks'
    );
  });

  it("says that the server's settings forbid terminals, and asks again on request", () => {
    const message = 'Terminals are disabled on this server (ServerApp.terminals_enabled)';
    model.tell({ error: new TaskError(message, 503, 'disabled') });
    expect(find('[role="alert"]')?.textContent).toContain(message);
    expect(find('[role="alert"]')?.textContent).not.toContain('enable jupyter_ptytasks');
    click(find('[role="alert"] button'));
    expect(model.refresh).toHaveBeenCalledTimes(1);
    model.tell({ isReady: true, tasks: [RUNNING] });
    expect(find('.jp-PtyTasks-stale')?.textContent).toContain(message);
  });

  it('says which tasks it cannot show, and shows the others', () => {
    const odd = (label: string) => ({ id: label, label, fields: ['state'] });
    model.tell({ isReady: true, tasks: [RUNNING], unreadable: [odd('odd one'), odd('')] });
    const said = () => find('.jp-PtyTasks-stale')?.textContent;
    expect(said()).toBe('2 tasks could not be shown: odd one, (unnamed)');
    expect(find('.jp-PtyTasks-stale')?.title).toContain('state');
    expect(row('running')).not.toBeNull();
    model.tell({ unreadable: [1, 2, 3, 4, 5, 6, 7].map(number => odd(`t${number}`)) });
    expect(said()).toBe('7 tasks could not be shown: t1, t2, t3, t4, t5, 2 more');
    model.tell({ tasks: [], unreadable: [odd('odd one')] });
    expect(panel.node.textContent).toContain('1 task could not be shown: odd one');
    expect(panel.node.textContent).not.toContain('No tasks yet');
    model.tell({ unreadable: [] });
    expect(panel.node.textContent).toContain('No tasks yet');
  });

  it('keeps the list while the server cannot be reached', () => {
    model.tell({ isReady: true, tasks: [RUNNING] });
    model.tell({ error: new TaskError('no network', 0, 'unreachable') });
    expect(find('[role="alert"]')?.textContent).toContain('Retrying');
    expect(row('running')).not.toBeNull();
    model.tell({ error: null });
    expect(find('[role="alert"]')).toBeNull();
  });

  describe('with tasks', () => {
    beforeEach(() => {
      model.tell({ isReady: true, tasks: [FAILED, RUNNING] });
    });

    it('shows of each task what there is to know', () => {
      expect(row('running').getAttribute('aria-rowindex')).toBe('1');
      expect(row('running').querySelector('[aria-label="Running"]')).not.toBeNull();
      expect(row('running').querySelector('[aria-label="2 viewers"]')).not.toBeNull();
      expect(row('failed').textContent).toContain('exit 3');
      expect(row('failed').textContent).toContain('just now');
      expect(row('failed').querySelector('[aria-label="Delete broken"]')).not.toBeNull();
      expect(row('failed').querySelector('[aria-label="Stop broken"]')).toBeNull();
    });

    it('shows the last lines: of live tasks again and again, of others once', async () => {
      await act(async () => jest.advanceTimersByTimeAsync(10_000));
      expect(row('running').textContent).toContain('epoch 7');
      const asked = model.tail.mock.calls.map(([id]: string[]) => id);
      expect(asked.filter(id => id === 'failed')).toHaveLength(1);
      expect(asked.filter(id => id === 'running').length).toBeGreaterThan(2);
    });

    it('says where a task runs, why it waits there, and that its host is away', () => {
      const state_message = 'waits for resources';
      const far = task({ id: 'far', place: 'slurm', state: 'queued', state_message });
      const cut = { connected: false, state_message: 'gpu1 is not reachable' };
      model.tell({ tasks: [far, task({ id: 'cut', place: 'ssh:gpu1', ...cut }), RUNNING] });
      expect(row('far').querySelector('.jp-PtyTasks-place')?.textContent).toBe('slurm');
      expect(row('far').textContent).toContain('Queued: waits for resources');
      expect(row('cut').querySelector('.jp-PtyTasks-place')?.textContent).toBe('gpu1');
      expect(row('cut').textContent).toContain('Not connected: gpu1 is not reachable');
      expect(row('running').querySelector('.jp-PtyTasks-place')).toBeNull();
    });

    it('says why a task has failed, in the place of its last line', () => {
      expect(row('failed').querySelector('[data-is="reason"]')).toBeNull();
      const state_message = 'ValueError: bad rate (train.py:12)';
      model.tell({ tasks: [{ ...FAILED, state_message }] });
      expect(row('failed').querySelector('[data-is="reason"]')?.textContent).toBe(state_message);
      expect(row('failed').querySelector('.jp-PtyTasks-exit')?.getAttribute('title')).toBe(
        state_message
      );
    });

    it('shows the line that says why a task has failed, on a click', () => {
      const why = () => row('failed').querySelector<HTMLElement>('.jp-PtyTasks-why');
      expect(why()).toBeNull();
      const explained = { ...FAILED, state_message: 'ValueError: bad rate (train.py:12)' };
      model.tell({ tasks: [explained] });
      click(why());
      expect(ofRow.showReason).toHaveBeenCalledWith('failed');
      expect(actions.open).not.toHaveBeenCalled();
      click(why(), { ctrlKey: true });
      expect(ofRow.showReason).toHaveBeenCalledTimes(1);
      expect(row('failed').getAttribute('aria-selected')).toBe('true');
      // No line of the output says that there is no output any more.
      model.tell({ tasks: [{ ...explained, state: 'lost' }] });
      expect(why()).toBeNull();
      model.tell({ tasks: [explained] });
      act(() => {
        actions.ofRow.value = {};
      });
      expect(why()).toBeNull();
      expect(row('failed').textContent).toContain('ValueError');
    });

    it('says why a task waits', () => {
      const queue = { text: '2 of 2 slots of the group gpu are used', position: 3, starts: null };
      model.tell({ tasks: [{ ...RUNNING, id: 'waits', name: 'next', state: 'queued', queue }] });
      expect(row('waits').querySelector('[aria-label="Queued"]')).not.toBeNull();
      expect(row('waits').textContent).toContain('2 of 2 slots of the group gpu are used');
      expect(row('waits').querySelector('[aria-label="Stop next"]')).not.toBeNull();
      expect(row('waits').querySelector('[aria-label="Restart next"]')).toBeNull();
    });

    it('shows what a program asks, but not that a shell is at its prompt', async () => {
      const asks = { kind: 'line', prompt: 'Proceed? [y/N] ', since: '', sure: true } as const;
      model.tell({ tasks: [{ ...RUNNING, waiting: asks }] });
      const badge = row('running').querySelector<HTMLElement>('.jp-PtyTasks-question');
      expect(badge?.textContent).toBe('waiting');
      expect(badge?.title).toBe('Waits for input: Proceed? [y/N]');
      expect(row('running').querySelector('.jp-PtyTasks-lastLine')?.textContent).toBe(
        'Proceed? [y/N]'
      );
      model.tell({ tasks: [{ ...RUNNING, waiting: { ...asks, kind: 'keys', prompt: '' } }] });
      expect(row('running').textContent).toContain('Waits for a key');
      model.tell({ tasks: [{ ...RUNNING, waiting: { ...asks, kind: 'shell' } }] });
      expect(row('running').querySelector('.jp-PtyTasks-question')).toBeNull();
    });

    it('does nothing while it is hidden', async () => {
      act(() => panel.hide());
      model.tail.mockClear();
      const before = row('running').textContent;
      await act(async () => jest.advanceTimersByTimeAsync(10_000));
      expect(model.tail).not.toHaveBeenCalled();
      expect(row('running').textContent).toBe(before);
    });

    it('shows how far a task is, as long as it is on its way', () => {
      const updated = new Date(Date.now()).toISOString();
      const progress = { ...PROGRESS, updated, fraction: 0.625, eta: 61, text: 'Epoch 5/8' };
      const failed = row('failed');
      model.tell({ tasks: [FAILED, { ...RUNNING, progress }] });
      const bar = () => row('running').querySelector('[role="progressbar"]');
      expect(bar()?.getAttribute('aria-label')).toBe('Progress of train');
      expect(bar()?.getAttribute('aria-valuenow')).toBe('62');
      expect(row('running').textContent).toContain('62% · 1m 01s left');
      expect(row('failed')).toBe(failed);
      model.tell({ tasks: [{ ...RUNNING, progress: { ...progress, fraction: null } }] });
      expect(bar()?.hasAttribute('aria-valuenow')).toBe(false);
      expect(bar()?.getAttribute('data-look')).toBe('unknown');
      model.tell({ tasks: [{ ...RUNNING, progress, state: 'succeeded' }] });
      expect(bar()).toBeNull();
      const state = 'failed';
      model.tell({ tasks: [{ ...RUNNING, state, progress: { ...progress, fraction: null } }] });
      expect(bar()).toBeNull();
    });

    it('says that nothing has come for a while', async () => {
      const now = new Date(Date.now()).toISOString();
      const progress = { ...PROGRESS, updated: now, eta: 6 };
      model.tell({ tasks: [{ ...RUNNING, progress, last_activity: now }] });
      const said = () => row('running').querySelector('.jp-PtyTasks-howFar')?.textContent;
      expect(said()).toBe('50% · 6s left');
      await act(async () => jest.advanceTimersByTimeAsync(30_000));
      expect(said()).toMatch(/50% · (19|20|21)s left/);
      await act(async () => jest.advanceTimersByTimeAsync(70_000));
      expect(said()).toMatch(/silent for 1m (39|40)s/);
    });

    it('shows the disk usage, and requests it seldom', async () => {
      expect(find('.jp-PtyTasks-foot')).toBeNull();
      model.status.mockResolvedValue({ storage: { used: 1.2 * 2 ** 30, limit: 5 * 2 ** 30 } });
      await act(async () => jest.advanceTimersByTimeAsync(61_000));
      expect(find('.jp-PtyTasks-foot')?.textContent).toBe('Storage: 1.2 of 5 GiB');
      expect(model.status.mock.calls.length).toBeLessThan(5);
      act(() => panel.hide());
      model.status.mockClear();
      await act(async () => jest.advanceTimersByTimeAsync(300_000));
      expect(model.status).not.toHaveBeenCalled();
    });

    it('leaves the text of the page alone where Shift and a click select rows', () => {
      const press = (init: MouseEventInit) => {
        const event = new MouseEvent('mousedown', { bubbles: true, cancelable: true, ...init });
        act(() => void row('running').dispatchEvent(event));
        return event.defaultPrevented;
      };
      expect([press({ shiftKey: true }), press({})]).toEqual([true, false]);
      expect(document.activeElement).toBe(find('[role="treegrid"]'));
    });

    it('looks for last lines in time while tasks make progress all the time', async () => {
      model.tail.mockClear();
      for (let step = 0; step < 40; step++) {
        model.tell({ tasks: [FAILED, { ...RUNNING, progress: PROGRESS }] });
        await act(async () => jest.advanceTimersByTimeAsync(100));
      }
      expect(model.tail).toHaveBeenCalled();
    });

    it('counts the seconds', async () => {
      await act(async () => jest.advanceTimersByTimeAsync(5_000));
      expect(row('running').querySelector('.jp-PtyTasks-when')?.textContent).toBe('5s');
    });

    it('opens by a click, and selects with Ctrl', () => {
      click(row('running'));
      expect(actions.open).toHaveBeenCalledWith('running');
      click(row('failed'), { ctrlKey: true });
      expect(actions.open).toHaveBeenCalledTimes(1);
      expect(panel.selected.map(({ id }) => id)).toEqual(['running', 'failed']);
      expect(row('failed').getAttribute('aria-selected')).toBe('true');
    });

    it('does what the buttons of a row say, and does not open it', () => {
      click(row('running').querySelector('[aria-label="Stop train"]'));
      expect(ofRow.stop).toHaveBeenCalledWith('running');
      expect(actions.open).not.toHaveBeenCalled();
    });

    it('has no button for what is not possible', () => {
      act(() => {
        actions.ofRow.value = { restart: jest.fn() };
      });
      const buttons = [...row('running').querySelectorAll('.jp-PtyTasks-actions button')];
      expect(buttons.map(node => node.getAttribute('title'))).toEqual(['Restart']);
    });

    it('goes by the keyboard', () => {
      press('End');
      expect(find('[role="treegrid"]')?.getAttribute('aria-activedescendant')).toBe(
        row('running').id
      );
      press('End');
      expect(find('[role="treegrid"]')?.getAttribute('aria-activedescendant')).toBe(
        row('failed').id
      );
      press('ArrowUp', { shiftKey: true });
      press('Delete');
      expect(actions.delete).toHaveBeenCalledWith(['running', 'failed']);
      press('Enter');
      expect(actions.open).toHaveBeenCalledWith('running');
    });

    it('has the menu of the active row opened by the key for that', () => {
      press('Home');
      const menu = jest.fn();
      row('running').addEventListener('contextmenu', menu);
      act(() => {
        find('[role="treegrid"]')?.dispatchEvent(
          new MouseEvent('contextmenu', { bubbles: true, button: 0 })
        );
      });
      expect(menu).toHaveBeenCalledTimes(1);
    });

    it('folds groups', () => {
      act(() => {
        panel.view.value = { ...panel.view.value, grouping: 'state' };
      });
      click(row('failed'), { ctrlKey: true });
      press('ArrowLeft');
      press('ArrowLeft');
      expect(panel.view.value.collapsed).toEqual(['state:failed']);
      expect(row('failed')).toBeNull();
      expect(panel.selected).toEqual([]);
      press('ArrowRight');
      expect(row('failed').getAttribute('aria-level')).toBe('2');
    });

    describe('in groups', () => {
      const waits = (id: string, place: number): ITask => ({
        ...RUNNING,
        id,
        name: id,
        state: 'queued',
        group: 'gpu',
        rank: id,
        queue: { position: place, text: 'no slot', starts: null }
      });
      const GPU: IGroup = {
        name: 'gpu',
        slots: 2,
        gpus: null,
        paused: false,
        reason: '',
        ends: null
      };
      const heading = () => find('[data-group="gpu"]') as HTMLElement;
      const spinner = () => heading().querySelector('input') as HTMLInputElement;
      const enter = (value: string) =>
        act(() => {
          const { prototype } = HTMLInputElement;
          Object.getOwnPropertyDescriptor(prototype, 'value')?.set?.call(spinner(), value);
          spinner().dispatchEvent(new Event('input', { bubbles: true }));
        });
      const drag = (kind: string, target: HTMLElement, clientY = 0) => {
        const event = new MouseEvent(kind, { bubbles: true, cancelable: true, clientY });
        const dataTransfer = { setData: jest.fn(), effectAllowed: '', dropEffect: '' };
        Object.defineProperty(event, 'dataTransfer', { value: dataTransfer });
        act(() => void target.dispatchEvent(event));
        return event.defaultPrevented;
      };

      beforeEach(() => {
        const running = { ...RUNNING, group: 'gpu' };
        const tasks = [waits('w3', 3), waits('w2', 2), waits('w1', 1), running, FAILED];
        model.tell({ tasks, groups: [GPU] });
      });

      it('says how far a group is', async () => {
        const said = () => heading().querySelector('.jp-PtyTasks-standing')?.textContent;
        expect(said()).toBe('1 of 2 running · 3 queued');
        const ends = new Date(Date.now() + 11_400_000).toISOString();
        model.tell({ groups: [{ ...GPU, ends }] });
        expect(said()).toBe('1 of 2 running · 3 queued · 3h 10m left');
        await act(async () => jest.advanceTimersByTimeAsync(60_000));
        expect(said()).toBe('1 of 2 running · 3 queued · 3h 09m left');
        model.tell({ groups: [{ ...GPU, paused: true, reason: 'lunch' }] });
        expect(said()).toBe('Paused: lunch · 1 of 2 running · 3 queued');
        expect(row('w1').querySelector('.jp-PtyTasks-when')?.textContent).toBe('#1');
        expect(find('[data-group="default"]')).not.toBeNull();
      });

      it('says when a task will start', () => {
        const starts = new Date(Date.now() + 65_000).toISOString();
        const task = waits('w1', 1);
        model.tell({ tasks: [{ ...task, queue: { position: 1, text: 'no slot', starts } }] });
        expect(row('w1').textContent).toContain('no slot · starts in 1m 05s');
      });

      it('folds, and pauses and resumes without folding', () => {
        click(heading().querySelector('[aria-label="Pause Group gpu"]'));
        expect(ofRow.pauseGroup).toHaveBeenCalledWith('gpu');
        model.tell({ groups: [{ ...GPU, paused: true }] });
        click(heading().querySelector('[aria-label="Resume Group gpu"]'));
        expect(ofRow.resumeGroup).toHaveBeenCalledWith('gpu');
        expect(heading().getAttribute('aria-expanded')).toBe('true');
        click(heading());
        expect(panel.view.value.collapsed).toEqual(['group:gpu']);
        expect(panel.group).toBe('gpu');
      });

      it('sets slots when the change is complete', async () => {
        expect(spinner().getAttribute('aria-label')).toBe('Slots of gpu');
        enter('3');
        enter('4');
        expect(ofRow.setSlots).not.toHaveBeenCalled();
        await act(async () => jest.advanceTimersByTimeAsync(1_000));
        expect(ofRow.setSlots.mock.calls).toEqual([['gpu', 4]]);
        enter('');
        await act(async () => jest.advanceTimersByTimeAsync(1_000));
        expect(ofRow.setSlots).toHaveBeenCalledTimes(1);
        act(() => {
          spinner().dispatchEvent(new FocusEvent('focusout', { bubbles: true }));
        });
        expect(ofRow.setSlots).toHaveBeenLastCalledWith('gpu', null);
      });

      it('moves what is dragged, within its group', () => {
        expect([row('w1').draggable, row('running').draggable]).toEqual([true, false]);
        drag('dragstart', row('w3'));
        expect(drag('dragover', row('running'))).toBe(false);
        expect(drag('dragover', row('failed'))).toBe(false);
        expect(drag('dragover', row('w1'), -1)).toBe(true);
        expect(row('w1').dataset.drop).toBe('before');
        expect(drag('dragover', row('w1'), 1)).toBe(true);
        expect(row('w1').dataset.drop).toBe('after');
        drag('drop', row('w1'), 1);
        expect(row('w1').dataset.drop).toBeUndefined();
        expect(ofRow.move).toHaveBeenCalledWith(['w3'], { after: 'w1' });
      });

      it('moves what is dragged to another group, to a place there or to its end', () => {
        model.tell({ tasks: [...model.tasks, { ...waits('cpu1', 1), group: 'cpu' }] });
        const cpu = () => find('[data-group="cpu"]') as HTMLElement;
        drag('dragstart', row('w3'));
        expect(drag('dragover', heading())).toBe(false);
        expect(drag('dragover', cpu())).toBe(true);
        expect(cpu().dataset.drop).toBe('into');
        drag('drop', cpu());
        expect(cpu().dataset.drop).toBeUndefined();
        expect(ofRow.move).toHaveBeenLastCalledWith(['w3'], { to: 'last', group: 'cpu' });
        drag('dragstart', row('w3'));
        drag('drop', row('cpu1'), -1);
        expect(ofRow.move).toHaveBeenLastCalledWith(['w3'], { before: 'cpu1', group: 'cpu' });
      });

      it('shows sweeps, whose failed tasks are run again together', () => {
        const sweep = { id: 's', name: 'train' };
        const failed = { ...FAILED, sweep, params: { lr: '1e-3' } };
        model.tell({ tasks: [{ ...waits('w1', 1), sweep, params: { lr: '1e-4' } }, failed] });
        act(() => {
          panel.view.value = { ...panel.view.value, grouping: 'sweep' };
        });
        const section = () => find('[data-sweep="s"]') as HTMLElement;
        expect(section().querySelector('.jp-PtyTasks-standing')?.textContent).toBe(
          '1 of 2 done · 1 failed · 1 queued'
        );
        expect(row('failed').querySelector('.jp-PtyTasks-name')?.textContent).toBe('lr=1e-3');
        expect(row('w1').draggable).toBe(false);
        click(section().querySelector('[aria-label="Retry Failed (1) train"]'));
        expect(ofRow.retrySweep).toHaveBeenCalledWith('s');
        click(row('w1'));
        expect(panel.sweep).toBe('s');
        click(section());
        expect(panel.sweep).toBe('s');
        expect(panel.view.value.collapsed).toEqual(['sweep:s']);
      });

      it('moves all that is selected, in its order', () => {
        click(row('w3'), { ctrlKey: true });
        click(row('w2'), { ctrlKey: true });
        click(row('failed'), { ctrlKey: true });
        drag('dragstart', row('w3'));
        drag('drop', row('w1'), -1);
        expect(ofRow.move).toHaveBeenCalledWith(['w2', 'w3'], { before: 'w1' });
      });

      it('tells assistive technologies what a command has done', () => {
        act(() => panel.announce('w1 is number 2'));
        expect(find('.jp-PtyTasks-announcement')?.textContent).toBe('w1 is number 2');
      });
    });

    it('leads to what failed and was not looked at, and back to all', () => {
      act(() => {
        seen.unseen = [FAILED];
        seen.changed.emit();
      });
      expect(row('running')).not.toBeNull();
      click(find('.jp-PtyTasks-chips [data-is="failed"]'));
      expect(row('running')).toBeNull();
      expect(seen.see).toHaveBeenLastCalledWith(['failed']);
      act(() => {
        seen.unseen = [];
        seen.changed.emit();
      });
      expect(row('failed')).not.toBeNull();
      click(find('[aria-label="Remove the filter 1 failed"]'));
      expect(row('running')).not.toBeNull();
      expect(find('.jp-PtyTasks-chips')).toBeNull();
    });

    it('shows the tags of a task, and limits the list to one that is clicked', () => {
      model.tell({
        tasks: [
          { ...RUNNING, tags: ['gpu', 'best', 'third'] },
          { ...FAILED, tags: [] }
        ]
      });
      const tags = row('running').querySelector('.jp-PtyTasks-tags') as HTMLElement;
      expect(tags.textContent).toBe('gpubest+1');
      click(tags.querySelector('button'), { ctrlKey: true });
      expect(row('failed')).not.toBeNull();
      click(tags.querySelector('button'));
      expect(row('failed')).toBeNull();
      expect(actions.open).not.toHaveBeenCalled();
      click(find('[aria-label="Remove the filter gpu"]'));
      expect(row('failed')).not.toBeNull();
    });

    it('forgets the selection of a task that is gone', () => {
      click(row('failed'));
      model.tell({ tasks: [RUNNING] });
      expect(panel.selected).toEqual([]);
    });
  });
});
