import { nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import React from 'react';

import type { TaskApi } from '../services/api';
import type { TaskFollower } from '../services/follower';
import { taskSchema, type ITask } from '../services/types/tasks';
import { WatchedValue } from '../services/watchedvalue';
import type { TaskConnection } from '../terminal/connection';
import { bannerText } from '../widgets/terminal/banner';
import { Header, type IHeaderProps } from '../widgets/terminal/header';
import { PROGRESS, USAGE } from './samples';
import { mockSight } from './sight';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const task: ITask = taskSchema.parse(sample);
const failed: ITask = { ...task, state: 'failed', exit: { code: 3, signal: null } };

describe('Header', () => {
  let widget: ReactWidget;
  const isExpanded = new WatchedValue(false);

  beforeAll(() => {
    mockSight();
  });

  const render = async (props: Partial<IHeaderProps>) => {
    const follower = { samples: [], changed: new Signal({}) };
    const all: IHeaderProps = {
      task,
      isReadonly: false,
      isFollowing: false,
      actions: {},
      summary: { id: 'summary', isExpanded },
      answers: null,
      follower: follower as unknown as TaskFollower,
      trans,
      ...props
    };
    widget = ReactWidget.create(<Header {...all} />);
    Widget.attach(widget, document.body);
    MessageLoop.flush();
    await widget.renderPromise;
    while (!widget.node.hasChildNodes()) {
      await new Promise(resolve => setTimeout(resolve));
    }
  };
  const button = (name: string) =>
    [...widget.node.querySelectorAll<HTMLElement>('[title], [aria-label]')].find(
      ({ title, ariaLabel }) => title.startsWith(name) || ariaLabel?.startsWith(name)
    );

  afterEach(() => widget.dispose());

  it('shows the state and the time', async () => {
    const started = new Date(Date.now() - 61_000).toISOString();
    await render({ task: { ...task, started } });
    expect(widget.node.textContent).toContain('Running');
    expect(widget.node.textContent).toContain('1m 01s');
  });

  it('has a button that shows what the task is', async () => {
    await render({});
    const expander = button('Command, working directory') as HTMLElement;
    expect(expander.getAttribute('aria-controls')).toBe('summary');
    expect(expander.getAttribute('aria-expanded')).toBe('false');
    expander.click();
    expect(isExpanded.value).toBe(true);
    while (expander.getAttribute('aria-expanded') !== 'true') {
      await new Promise(resolve => setTimeout(resolve));
    }
  });

  it('says why a task waits, and offers no restart', async () => {
    const queue = { position: 2, text: '4 of 4 slots of the group gpu are used', starts: null };
    const waits: ITask = { ...task, state: 'queued', started: null, queue };
    await render({ task: waits, actions: { stop: jest.fn(), restart: jest.fn() } });
    expect(widget.node.textContent).toContain('Queued4 of 4 slots of the group gpu are used');
    expect(button('Restart')).toBeUndefined();
    expect(button('Stop')).toBeDefined();
  });

  it('tells that the program asks something', async () => {
    const waiting = { kind: 'password', prompt: '', since: '', sure: false } as const;
    await render({ task: { ...task, waiting } });
    expect(widget.node.textContent).toContain('waiting');
    expect(button('Probably waits for input: Waits for a password')).toBeDefined();
  });

  it('has a field for the answer, if this viewer sends input', async () => {
    const waiting = { kind: 'line', prompt: 'Sure? ', since: '', sure: true } as const;
    await render({ task: { ...task, waiting } });
    expect(widget.node.querySelector('input')).toBeNull();
    widget.dispose();
    const answer = jest.fn(async () => undefined);
    const onAnswered = jest.fn();
    const answers = { api: { answer } as unknown as TaskApi, refresh: async () => undefined };
    await render({ task: { ...task, waiting }, answers, onAnswered });
    const input = widget.node.querySelector('input') as HTMLInputElement;
    expect(input.labels?.[0].textContent).toBe('Sure?');
    input.value = 'y';
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await new Promise(process.nextTick);
    expect(answer).toHaveBeenCalledWith(task.id, { data: 'y', newline: true, secret: false });
    expect(onAnswered).toHaveBeenCalledTimes(1);
  });

  it('shows that it has failed, for which the banner has the reason, and offers no stop', async () => {
    await render({ task: failed, actions: { stop: jest.fn(), restart: jest.fn() } });
    expect(widget.node.textContent).toContain('Failed');
    expect(widget.node.textContent).not.toContain('exit 3');
    expect(button('Stop')).toBeUndefined();
    expect(button('Restart')).toBeDefined();
  });

  it('shows other viewers', async () => {
    await render({ task: { ...task, viewers: 2 }, isFollowing: true, isReadonly: true });
    expect(widget.node.textContent).toContain('2 viewers');
    expect(widget.node.textContent).toContain('Size follows another viewer');
    expect(widget.node.textContent).toContain('Read-only');
  });

  it('says nothing of others where there are none', async () => {
    await render({ task: { ...task, viewers: 1 } });
    expect(widget.node.textContent).not.toMatch(/viewer|Read-only/);
  });

  it('shows progress and usage', async () => {
    const updated = new Date().toISOString();
    const progress = { ...PROGRESS, updated, fraction: 0.415, eta: 200.9, text: 'Epoch 5/10' };
    await render({
      task: { ...task, progress, usage: { ...USAGE, cpu: 187.3, rss: 1.2 * 2 ** 30 } }
    });
    const bar = widget.node.querySelector('[role="progressbar"]');
    expect(bar?.getAttribute('aria-valuenow')).toBe('41');
    expect(bar?.getAttribute('aria-valuetext')).toBe('41% · 3m 20s left · Epoch 5/10');
    expect(widget.node.textContent).toContain('41% · 3m 20s left');
    expect(widget.node.textContent).toContain('187% · 1.2 GiB');
  });

  it('has no buttons for what cannot be done', async () => {
    await render({});
    expect(button('Stop')).toBeUndefined();
    expect(button('Restart')).toBeUndefined();
  });
});

describe('the banner', () => {
  const told = (link: TaskConnection['link'], of: ITask = task) =>
    bannerText({ link } as TaskConnection, of, trans);

  it('is silent while all is well', () => {
    expect(told('connected')).toBeNull();
    expect(told('connecting')).toBeNull();
  });

  it('says why input was refused', () => {
    const refused = { link: 'connected', refusal: 'a line is too long' } as TaskConnection;
    expect(bannerText(refused, task, trans)).toBe('Your input was not sent: a line is too long.');
  });

  it('reports a lost connection, and that the task keeps running', () => {
    expect(told('lost')).toMatch(/lost.*not affected/);
  });

  it('says how the task ended', () => {
    expect(told('ended', failed)).toBe('Failed (exit 3)');
    const lost: ITask = { ...failed, state: 'lost', exit: null, state_message: 'no host' };
    expect(told('ended', lost)).toBe('Lost: no host');
    const said: ITask = { ...failed, state_message: 'ValueError: bad rate (train.py:12)' };
    expect(told('ended', said)).toBe('Failed (exit 3): ValueError: bad rate (train.py:12)');
    const plain: ITask = { ...failed, state_message: 'exited with code 3' };
    expect(told('ended', plain)).toBe('Failed (exit 3)');
    const late: ITask = { ...plain, state: 'timed_out', timeout: null, ended: task.started };
    expect(told('ended', late)).toBe('Timed out (after 0s)');
    expect(told('ended', task)).toBeNull();
  });

  it('says that it was deleted', () => {
    expect(told('gone')).toMatch(/deleted/);
  });
});
