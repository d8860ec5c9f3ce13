/** The prompts and commands in a terminal, from the marks (OSC 133, docs/shells.md) that shells print around them. */

import { Signal, type ISignal } from '@lumino/signaling';

/** Tracks a line of the terminal while lines above it are discarded. */
export interface IMarker {
  /** The row of the line; -1 if it was discarded. */
  readonly line: number;
  readonly isDisposed: boolean;
  dispose(): void;
}

/** An overlay on a line. */
export interface IDecoration {
  onRender(listener: (element: HTMLElement) => void): void;
  dispose(): void;
}

/** The part of xterm.js that is used here. */
export interface IMarkable {
  readonly rows: number;
  readonly cols: number;
  readonly options: { readonly allowProposedApi?: boolean };
  readonly buffer: {
    readonly active: {
      readonly type: 'normal' | 'alternate';
      readonly viewportY: number;
      readonly baseY: number;
      readonly cursorY: number;
    };
    onBufferChange(listener: () => void): void;
  };
  readonly parser: {
    registerOscHandler(code: number, handler: (data: string) => boolean): void;
    registerEscHandler(id: { final: string }, handler: () => boolean): void;
  };
  registerMarker(): IMarker;
  registerDecoration(options: { marker: IMarker; width: number }): IDecoration | undefined;
  scrollToLine(row: number): void;
}

/** A prompt, and the command that was run at it. */
interface IMark {
  readonly marker: IMarker;
  /** Whether a command was run. */
  isRun: boolean;
}

/** The fraction of a terminal's height that stays above a line that it scrolls to. */
export const ABOVE = 1 / 3;

/** The most marks that are kept: each one costs time whenever a line is discarded. */
const MOST = 500;

/** Milliseconds for which the target of a jump is highlighted. */
const BRIEFLY = 1500;

/** Tells the marks of our shell integration from those of other programs. */
const OURS = /(?:^|;)ptytask=/;

/** Follows the marks of one terminal. There are none on the alternate screen. */
export class CommandMarks {
  /** @param titleOf Return the description of a command with this exit code. */
  constructor(
    private readonly _xterm: IMarkable,
    private readonly _titleOf: (exit: number) => string
  ) {
    const { parser, buffer } = _xterm;
    // Other handlers may need the same sequences.
    parser.registerOscHandler(133, data => {
      this._take(data);
      return false;
    });
    // RIS: a replay begins with it, and `reset` prints it. All lines are gone.
    parser.registerEscHandler({ final: 'c' }, () => {
      this._forget(this._marks.splice(0));
      this._changed.emit();
      return false;
    });
    buffer.onBufferChange(() => this._changed.emit());
  }

  /** Emitted when `canJump` may have changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether there is a command to jump to. */
  get canJump(): boolean {
    return (
      this._xterm.buffer.active.type === 'normal' &&
      this._marks.some(({ marker }) => !marker.isDisposed)
    );
  }

  /**
   * Scroll to the prompt of the previous (-1) or next (1) command, and highlight it briefly. Return whether there is one.
   *
   * Start from the target of the last jump, if the terminal has not been scrolled since; otherwise from the line where a target
   * would be, or from the cursor if the terminal is at its end.
   */
  jump(step: -1 | 1): boolean {
    const { _xterm: xterm } = this;
    const above = Math.floor(xterm.rows * ABOVE);
    const { active } = xterm.buffer;
    if (active.type !== 'normal') {
      return false;
    }
    const marks = this._marks.filter(({ marker }) => !marker.isDisposed);
    const from = this._from(above);
    const found =
      step < 0
        ? marks.filter(({ marker }) => marker.line < from).pop()
        : marks.find(({ marker }) => marker.line > from);
    if (!found) {
      return false;
    }
    const { marker } = found;
    xterm.scrollToLine(Math.max(0, marker.line - above));
    this._current = { marker, viewportY: active.viewportY };
    this._show(marker);
    return true;
  }

  dispose(): void {
    clearTimeout(this._showing);
    Signal.clearData(this);
  }

  private _from(above: number): number {
    const { viewportY, baseY, cursorY } = this._xterm.buffer.active;
    const current = this._current;
    if (current && !current.marker.isDisposed && current.viewportY === viewportY) {
      return current.marker.line;
    }
    if (viewportY < baseY) {
      return viewportY + above;
    }
    const last = this._marks[this._marks.length - 1];
    // If no command was run at the last prompt, the user is there.
    return last && !last.isRun ? last.marker.line : baseY + cursorY + 1;
  }

  private _take(data: string): void {
    if (!OURS.test(data) || this._xterm.buffer.active.type !== 'normal') {
      return;
    }
    const last = this._marks[this._marks.length - 1];
    switch (data[0]) {
      case 'A':
        this._add(last);
        break;
      case 'C':
        if (last) {
          last.isRun = true;
        }
        break;
      case 'D': {
        const exit = /^D;(\d+)(?:;|$)/.exec(data);
        if (last?.isRun && exit) {
          this._decorate(last.marker, Number(exit[1]));
        }
        break;
      }
    }
  }

  private _add(last: IMark | undefined): void {
    if (last && !last.isRun) {
      // The shell draws its prompt again.
      this._forget(this._marks.splice(-1));
    }
    this._marks.push({ marker: this._xterm.registerMarker(), isRun: false });
    this._forget(this._marks.splice(0, this._marks.length - MOST));
    this._current = null;
    this._changed.emit();
  }

  private _forget(marks: readonly IMark[]): void {
    marks.forEach(({ marker }) => marker.dispose());
  }

  /** Show at the left edge how a command ended. */
  private _decorate(marker: IMarker, exit: number): void {
    this._draw(marker, 1, element => {
      element.classList.add('jp-PtyTasks-ended');
      element.dataset.is = exit === 0 ? 'success' : 'failure';
      element.title = this._titleOf(exit);
    });
  }

  /** Highlight a line briefly. */
  private _show(marker: IMarker): void {
    this._shown?.dispose();
    clearTimeout(this._showing);
    this._shown = this._draw(marker, this._xterm.cols, element =>
      element.classList.add('jp-PtyTasks-jumped')
    );
    this._showing = setTimeout(() => this._shown?.dispose(), BRIEFLY);
  }

  private _draw(
    marker: IMarker,
    width: number,
    style: (element: HTMLElement) => void
  ): IDecoration | undefined {
    // Decorations are experimental in xterm.js; not every JupyterLab allows them.
    const drawn =
      !marker.isDisposed && this._xterm.options.allowProposedApi
        ? this._xterm.registerDecoration({ marker, width })
        : undefined;
    drawn?.onRender(style);
    return drawn;
  }

  private readonly _marks: IMark[] = [];
  private readonly _changed = new Signal<this, void>(this);
  /** The command that was jumped to last, and where the terminal was scrolled to. */
  private _current: { marker: IMarker; viewportY: number } | null = null;
  private _shown: IDecoration | undefined;
  private _showing: ReturnType<typeof setTimeout> | undefined;
}
