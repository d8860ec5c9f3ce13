/** An observable value: widgets read it synchronously, React components subscribe to it. */

import { Signal, type ISignal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

export class WatchedValue<T> {
  constructor(private _value: T) {}

  get value(): T {
    return this._value;
  }
  set value(value: T) {
    if (value !== this._value) {
      this._value = value;
      this._changed.emit();
    }
  }

  /** Emitted when the value has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private readonly _changed = new Signal<this, void>(this);
}

/** Return the result of `read`, evaluated on every signal. The component is rendered again only if the result differs. */
export function useSignalValue<T>(signal: ISignal<unknown, unknown>, read: () => T): T {
  const subscribe = useCallback(
    (onChange: () => void) => {
      const slot = () => {
        onChange();
      };
      signal.connect(slot);
      return () => {
        signal.disconnect(slot);
      };
    },
    [signal]
  );
  return useSyncExternalStore(subscribe, read);
}

/** Return the current value, and render again when it changes. */
export function useWatchedValue<T>(store: WatchedValue<T>): T {
  return useSignalValue(store.changed, () => store.value);
}
