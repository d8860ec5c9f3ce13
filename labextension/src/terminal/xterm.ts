/** Access to the xterm.js inside JupyterLab's terminal widget. Without it, every function falls back to something simpler. */

import type { Terminal } from '@jupyterlab/terminal';

import type { IScreen } from './endkeeper';
import { ABOVE, CommandMarks, type IMarkable } from './marks';

interface ILine {
  readonly isWrapped: boolean;
  translateToString(trimRight: boolean): string;
}

interface IBuffer {
  readonly type: 'normal' | 'alternate';
  readonly viewportY: number;
  readonly baseY: number;
  readonly length: number;
  getLine(row: number): ILine | undefined;
}

interface IXterm {
  readonly rows: number;
  readonly cols: number;
  readonly buffer: { readonly active: IBuffer };
  write(data: string, callback: () => void): void;
  resize(cols: number, rows: number): void;
  scrollToBottom(): void;
  scrollToLine(row: number): void;
  select(column: number, row: number, length: number): void;
  onRender(listener: () => void): void;
  onSelectionChange(listener: () => void): void;
}

interface ISize {
  readonly width: number;
  readonly height: number;
}

/** Private members of xterm.js 5.5 that its own addons use, too. */
interface IInside {
  readonly _addonManager?: { readonly _addons?: { instance: IAddon }[] };
  readonly _core?: {
    onWillOpen?(listener: () => void): void;
    readonly _charSizeService?: { readonly _measureStrategy?: { measure(): ISize } };
    readonly _renderService?: { readonly _renderer?: { readonly value?: IDomRenderer } };
  };
}

interface IDomRenderer {
  readonly _widthCache?: {
    readonly _measureElements: readonly HTMLElement[];
    _measure(text: string, variant: number): number;
  };
  /** Forget the widths of characters, and measure again. */
  handleDevicePixelRatioChange(): void;
}

interface IAddon {
  readonly onContextLoss?: unknown;
  dispose(): void;
}

/** How many times a character is drawn to measure its width. */
const REPEATED = 32;

/** Milliseconds in which a terminal is assumed to render, without access to xterm.js. */
const SUPPOSED = 20;

/** Call back when the terminal has rendered everything written so far. Works on hidden pages too. */
export function whenDrawn(terminal: Terminal, done: () => void): void {
  const xterm = find(terminal);
  if (xterm) {
    xterm.write('', done);
  } else {
    setTimeout(done, SUPPOSED);
  }
}

/** Set the size of the terminal, regardless of the space it has, until it is fitted again. */
export function resize(terminal: Terminal, rows: number, cols: number): void {
  const xterm = find(terminal);
  if (xterm && rows > 0 && cols > 0 && (xterm.rows !== rows || xterm.cols !== cols)) {
    xterm.resize(cols, rows);
  }
}

/**
 * Make a terminal that is not open yet use the DOM renderer instead of the WebGL addon. Its cells get the same size as with the
 * addon, so that it has as many columns as any other terminal.
 */
export function drawWithoutGpu(terminal: Terminal): void {
  const xterm = find(terminal) as IInside | null;
  const core = xterm?._core;
  // Only the WebGL addon has this property.
  const webgl = xterm?._addonManager?._addons?.find(({ instance }) => instance.onContextLoss);
  if (!webgl || !core?.onWillOpen) {
    return;
  }
  webgl.instance.dispose();
  core.onWillOpen(() => {
    const strategy = core._charSizeService?._measureStrategy;
    if (strategy) {
      const measure = strategy.measure.bind(strategy);
      strategy.measure = () => inWholePixels(measure());
    }
    // The renderer is created after this event and draws in the next frame.
    queueMicrotask(() => measureExactly(core._renderService?._renderer?.value));
  });
}

/**
 * The DOM renderer of xterm.js 5.5 adjusts the spacing of characters by their widths, but measures these in whole pixels for 32
 * characters (WidthCache.ts), so that wide rows end some pixels beside their cells. Measure them in fractions.
 */
function measureExactly(renderer?: IDomRenderer): void {
  const widths = renderer?._widthCache;
  if (!widths?._measureElements) {
    return;
  }
  widths._measure = (text, variant) => {
    const element = widths._measureElements[variant];
    element.textContent = text.repeat(REPEATED);
    return element.getBoundingClientRect().width / REPEATED;
  };
  renderer?.handleDevicePixelRatioChange();
}

/** Round the width of a character as the WebGL addon does (0.18, WebglRenderer.ts). */
function inWholePixels({ width, height }: ISize): ISize {
  const ratio = window.devicePixelRatio;
  return { width: Math.floor(width * ratio) / ratio, height };
}

/** Tolerance in pixels for rounding. */
const ROUNDING = 2;

/**
 * Return the scroll position of a terminal: in its output and, if the terminal is larger than its container, in the container.
 * Without access to xterm.js, the output counts as scrolled to its end.
 */
export function screenOf(terminal: Terminal): IScreen {
  const { node } = terminal;
  return {
    get isAtEnd(): boolean {
      const buffer = find(terminal)?.buffer.active;
      // The container scrolls from the bottom up (style/terminal.css): the end is at zero.
      return (!buffer || buffer.viewportY >= buffer.baseY) && Math.abs(node.scrollTop) < ROUNDING;
    },
    scrollToEnd(): void {
      node.scrollTop = 0;
      find(terminal)?.scrollToBottom();
    }
  };
}

/**
 * Return the number of lines of output in a terminal that is scrolled up to the first one; null if it is not. For an ended task,
 * the last line does not count: the server adds it, to say how the task ended.
 */
export function linesFromTop(terminal: Terminal, hasEnded: boolean): number | null {
  const buffer = find(terminal)?.buffer.active;
  if (!buffer || buffer.type !== 'normal' || buffer.viewportY > 0 || buffer.baseY === 0) {
    return null;
  }
  const lines: string[] = [];
  for (let row = 0; row < buffer.length; row++) {
    const line = buffer.getLine(row);
    const text = line?.translateToString(true) ?? '';
    if (line?.isWrapped && lines.length) {
      lines[lines.length - 1] += text;
    } else {
      lines.push(text);
    }
  }
  let count = lines.length;
  while (count && !lines[count - 1]) {
    count--;
  }
  if (hasEnded && /^\[.+\]$/.test(lines[count - 1] ?? '')) {
    // The server writes a line feed before it, which leaves an empty line if the output already ended with one.
    count -= lines[count - 2] ? 1 : 2;
  }
  return Math.max(0, count);
}

/** Scroll to the last line with this text and select it; return whether there is one. */
export function showLine(terminal: Terminal, text: string): boolean {
  const xterm = find(terminal);
  const wanted = text.trimEnd();
  if (!xterm || !wanted) {
    return false;
  }
  const { active } = xterm.buffer;
  for (let row = active.length - 1; row >= 0; row--) {
    const line = active.getLine(row);
    const shown = line?.isWrapped === false ? line.translateToString(true) : '';
    // A wrapped line continues in the next row.
    const isWhole = shown === wanted || active.getLine(row + 1)?.isWrapped === true;
    if (shown && isWhole && wanted.startsWith(shown)) {
      xterm.scrollToLine(Math.max(0, row - Math.floor(xterm.rows * ABOVE)));
      xterm.select(0, row, xterm.cols * Math.ceil(wanted.length / xterm.cols));
      return true;
    }
  }
  return false;
}

/** Follow the prompts and commands in a terminal; null without access to xterm.js. `titleOf` describes an exit code. */
export function markCommands(
  terminal: Terminal,
  titleOf: (exit: number) => string
): CommandMarks | null {
  const xterm = find(terminal) as (IXterm & Partial<IMarkable>) | null;
  return xterm?.parser && xterm.registerMarker
    ? new CommandMarks(xterm as unknown as IMarkable, titleOf)
    : null;
}

/** Call back after each render, and when the selection changes, as it does during a search. */
export function watch(terminal: Terminal, onDrawn: () => void, onSelected: () => void): void {
  const xterm = find(terminal);
  xterm?.onRender(onDrawn);
  xterm?.onSelectionChange(onSelected);
}

function find(terminal: Terminal): IXterm | null {
  const found = (terminal as unknown as { _term?: Partial<IXterm> })._term;
  const isOne = typeof found?.write === 'function' && typeof found.resize === 'function';
  return isOne && !terminal.isDisposed ? (found as IXterm) : null;
}
