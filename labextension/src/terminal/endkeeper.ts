/**
 * Keeps a terminal at the end of its output until its user scrolls away.
 *
 * xterm.js (5.5, Viewport.ts) takes every scroll event of the browser that it does not expect for the user's, also one that
 * only follows from a resize or a replay, and then no longer follows the output. What it cannot know is known here: whether
 * there was a wheel, a touch, a key or a search that may have meant it.
 */

import { Signal, type ISignal } from '@lumino/signaling';

/** What is asked of a terminal. */
export interface IScreen {
  /** Whether its last line is in sight. */
  readonly isAtEnd: boolean;
  scrollToEnd(): void;
}

/** Frames in which the browser has done what an input asks for. */
const FRAMES = 3;

/** The keys that scroll a terminal, some of them with Shift. */
const KEYS: ReadonlySet<string> = new Set([
  'PageUp',
  'PageDown',
  'Home',
  'End',
  'ArrowUp',
  'ArrowDown'
]);

/** Begins to follow the end. Whoever has the terminal calls `look` whenever it was drawn or scrolled. `dispose` it. */
export class EndKeeper {
  constructor(
    private readonly _screen: IScreen,
    private readonly _node: HTMLElement
  ) {
    for (const type of INPUTS) {
      _node.addEventListener(type, this, { capture: true, passive: true });
    }
    // A drag may end anywhere.
    window.addEventListener('pointerup', this);
    window.addEventListener('pointercancel', this);
  }

  /** Whether the last line is in sight, as of the last look. */
  get isAtEnd(): boolean {
    return this._isAtEnd;
  }

  /** Emitted when `isAtEnd` has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Goes to the end, and follows it. */
  jump(): void {
    this._isFollowing = true;
    this._screen.scrollToEnd();
    this.look();
  }

  /** Something other than the browser's events may scroll now, because the user wants it to. */
  noteIntent(): void {
    this._isActing = true;
    cancelAnimationFrame(this._frame);
    this._wait(FRAMES);
  }

  /** Takes note of where the terminal is, and takes it back to the end if nobody wanted it to leave that. */
  look(): void {
    if (!this._screen.isAtEnd && this._isFollowing) {
      if (this._isActing || this._isPressed) {
        this._isFollowing = false;
      } else {
        this._screen.scrollToEnd();
      }
    }
    const { isAtEnd } = this._screen;
    if (isAtEnd) {
      this._isFollowing = true;
    }
    if (isAtEnd !== this._isAtEnd) {
      this._isAtEnd = isAtEnd;
      this._changed.emit();
    }
  }

  handleEvent(event: Event): void {
    if (event.type === 'pointerdown') {
      this._isPressed = true;
    } else if (event.type === 'pointerup' || event.type === 'pointercancel') {
      // What the drag was for may still be to come.
      if (this._isPressed) {
        this._isPressed = false;
        this.noteIntent();
      }
    } else if (!(event instanceof KeyboardEvent) || KEYS.has(event.key)) {
      this.noteIntent();
    }
  }

  dispose(): void {
    for (const type of INPUTS) {
      this._node.removeEventListener(type, this, { capture: true });
    }
    window.removeEventListener('pointerup', this);
    window.removeEventListener('pointercancel', this);
    cancelAnimationFrame(this._frame);
    Signal.clearData(this);
  }

  private _wait(frames: number): void {
    this._frame = requestAnimationFrame(() => {
      if (frames > 1) {
        this._wait(frames - 1);
      } else {
        this._isActing = false;
      }
    });
  }

  private _isAtEnd = true;
  private _isFollowing = true;
  private _isActing = false;
  private _isPressed = false;
  private _frame = 0;
  private readonly _changed = new Signal<this, void>(this);
}

/** What may mean that the user scrolls. */
const INPUTS = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const;
