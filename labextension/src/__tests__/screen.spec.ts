/** A terminal is opened when it has content, and loses no key until then. */

import type { ITranslator } from '@jupyterlab/translation';
import { MessageLoop, type Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import type { TaskConnection } from '../terminal/connection';
import { TaskScreen } from '../widgets/terminal/screen';

/** JupyterLab's terminal: its first update opens xterm.js, if it is loaded. */
jest.mock('@jupyterlab/terminal', () => {
  const lumino = jest.requireActual<typeof import('@lumino/widgets')>('@lumino/widgets');
  class Terminal extends lumino.Widget {
    constructor(readonly session: unknown) {
      super();
      this.node.tabIndex = -1;
    }

    isReady = true;
    readonly focused = jest.fn();

    protected override onUpdateRequest(): void {
      if (this.isReady && !this.node.firstChild) {
        this.node.append(Object.assign(document.createElement('div'), { className: 'xterm' }));
      }
    }

    protected override onActivateRequest(message: Message): void {
      this.focused(message);
    }
  }
  return { Terminal };
});

describe('TaskScreen', () => {
  let screen: TaskScreen & { isReady: boolean; focused: jest.Mock };
  let send: jest.Mock;

  const isOpen = () => screen.node.querySelector('.xterm') !== null;
  const press = (key: string, options: KeyboardEventInit = {}) =>
    screen.node.dispatchEvent(new KeyboardEvent('keydown', { key, ...options }));

  beforeEach(() => {
    send = jest.fn();
    const connection = { send } as unknown as TaskConnection;
    screen = new TaskScreen(connection, {}, {} as ITranslator) as typeof screen;
    Widget.attach(screen, document.body);
    MessageLoop.sendMessage(screen, Widget.Msg.UpdateRequest);
  });

  afterEach(() => screen.dispose());

  it('is opened when it is to be, and has the focus then', async () => {
    expect(isOpen()).toBe(false);
    screen.node.focus();
    screen.isReady = false;
    screen.open();
    MessageLoop.flush();
    expect(isOpen()).toBe(false);
    screen.isReady = true;
    screen.update();
    await screen.opened;
    expect(isOpen()).toBe(true);
    MessageLoop.flush();
    expect(screen.focused).toHaveBeenCalled();
  });

  it('leaves the focus where it is', async () => {
    screen.open();
    MessageLoop.flush();
    await screen.opened;
    MessageLoop.flush();
    expect(screen.focused).not.toHaveBeenCalled();
  });

  it('sends what is typed before it is open, but no shortcut', () => {
    ['l', 's', 'Enter', 'Shift', 'F2'].forEach(key => press(key));
    press('c', { ctrlKey: true });
    expect(send.mock.calls.map(([message]) => message.content)).toEqual([['l'], ['s'], ['\r']]);
    screen.open();
    MessageLoop.flush();
    press('x');
    expect(send).toHaveBeenCalledTimes(3);
  });
});
