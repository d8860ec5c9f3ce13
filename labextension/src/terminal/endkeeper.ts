/**
 * Keep a terminal at the end of its output until the user scrolls away.
 *
 * xterm.js (5.5, Viewport.ts) attributes every unexpected scroll event to the user, even if a resize or a replay caused it,
 * and then stops following the output. This class checks whether a wheel, touch, key or search event came before.
 */

import { Signal, type ISignal } from '@lumino/signaling';

/** The part of a terminal that is used here. */
export interface IScreen {
  /** Whether the last line is visible. */
  readonly isAtEnd: boolean;
  scrollToEnd(): void;
}

/** Animation frames after which the effect of an input event is complete. */
const FRAMES = 3;

/** The keys that scroll a terminal, some together with Shift. */
const KEYS: ReadonlySet<string> = new Set([
  'PageUp',
  'PageDown',
  'Home',
  'End',
  'ArrowUp',
  'ArrowDown'
]);

/** Follows the end at first. The owner calls `look` after each render and scroll, and `dispose` at the end. */
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

  /** Whether the last line was visible at the last `look`. */
  get isAtEnd(): boolean {
    return this._isAtEnd;
  }

  /** Emitted when `isAtEnd` has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Scroll to the end and follow it. */
  jump(): void {
    this._isFollowing = true;
    this._screen.scrollToEnd();
    this.look();
  }

  /** Note that the next scrolling is intended by the user, though no input event precedes it. */
  noteIntent(): void {
    this._isActing = true;
    cancelAnimationFrame(this._frame);
    this._wait(FRAMES);
  }

  /** Check the scroll position, and return to the end unless the user scrolled away. */
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
      // The effect of the drag may be yet to come.
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

/** The events by which a user scrolls. */
const INPUTS = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const;
