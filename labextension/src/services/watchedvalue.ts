/** A value that widgets hold and React components watch: it can be read at once, unlike the state of a component. */

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

  /** Emitted when the value has become another one. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private readonly _changed = new Signal<this, void>(this);
}

/** What `read` gives, asked again at every signal: the component is drawn anew only if the answer differs. */
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

/** The value of a store, kept up to date. */
export function useWatchedValue<T>(store: WatchedValue<T>): T {
  return useSignalValue(store.changed, () => store.value);
}
