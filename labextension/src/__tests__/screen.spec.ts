/** A terminal is opened when it has content, and loses no key until then. */

import type { Terminal } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';
import { MessageLoop, type Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { drawWithoutGpu } from '../terminal/xterm';
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
    jest.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
    send = jest.fn();
    const connection = { send } as unknown as Terminal.ITerminalConnection;
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

  it.each([
    ['ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device), SwiftShader driver)', true],
    ['llvmpipe (LLVM 15.0.7, 256 bits)', true],
    ['ANGLE (NVIDIA, NVIDIA GeForce RTX 4090, OpenGL 4.6)', false]
  ])('has the GPU %s draw it, or no program in its place', async (name, isEmulated) => {
    await jest.isolateModulesAsync(async () => {
      const gl = { getExtension: () => null, getParameter: () => name };
      jest.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValueOnce(gl as never);
      const { isGpuEmulated } = await import('../terminal/gpu');
      expect([isGpuEmulated(), isGpuEmulated()]).toEqual([isEmulated, isEmulated]);
    });
  });

  it('does without the addon for WebGL, with cells of the same width', async () => {
    const webgl = { onContextLoss: jest.fn(), dispose: jest.fn() };
    const search = { dispose: jest.fn() };
    const strategy = { measure: () => ({ width: 7.8, height: 17 }) };
    const opening: (() => void)[] = [];
    const element = document.createElement('span');
    element.getBoundingClientRect = () =>
      ({ width: (element.textContent ?? '').length * 7.3 }) as DOMRect;
    const widths: {
      _measure?: (text: string, variant: number) => number;
      _measureElements: HTMLElement[];
    } = { _measureElements: [element] };
    const renderer = { _widthCache: widths, handleDevicePixelRatioChange: jest.fn() };
    const term = {
      write: jest.fn(),
      resize: jest.fn(),
      _addonManager: { _addons: [{ instance: search }, { instance: webgl }] },
      _core: {
        onWillOpen: (listener: () => void) => opening.push(listener),
        _charSizeService: { _measureStrategy: strategy },
        _renderService: { _renderer: { value: renderer } }
      }
    };
    drawWithoutGpu({ _term: term, isDisposed: false } as never);
    expect(webgl.dispose).toHaveBeenCalledTimes(1);
    expect(search.dispose).not.toHaveBeenCalled();
    opening.forEach(open => open());
    expect(strategy.measure()).toEqual({ width: 7, height: 17 });
    window.devicePixelRatio = 2;
    expect(strategy.measure()).toEqual({ width: 7.5, height: 17 });
    window.devicePixelRatio = 1;
    // Characters are measured in fractions of pixels, as soon as there is a renderer.
    await Promise.resolve();
    expect(renderer.handleDevicePixelRatioChange).toHaveBeenCalledTimes(1);
    expect(widths._measure?.('W', 0)).toBeCloseTo(7.3);
  });

  it.each([{}, { _core: {} }, { _addonManager: {}, _core: { onWillOpen: jest.fn() } }])(
    'leaves a terminal as it is that has other insides: %j',
    insides => {
      const term = { write: jest.fn(), resize: jest.fn(), ...insides };
      expect(() => drawWithoutGpu({ _term: term, isDisposed: false } as never)).not.toThrow();
    }
  );

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
