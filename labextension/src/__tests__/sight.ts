/** What can be seen, where nothing is drawn. */

import { act } from 'react';

/** Has all elements in sight; gives a function that takes them out of it, and brings them back. */
export function mockSight(): (isInSight: boolean) => void {
  let isInSight = true;
  const observers = new Set<() => void>();

  class Observer {
    constructor(private readonly _callback: (entries: { isIntersecting: boolean }[]) => void) {}

    observe(): void {
      observers.add(this._tell);
      this._tell();
    }

    disconnect(): void {
      observers.delete(this._tell);
    }

    private readonly _tell = () => this._callback([{ isIntersecting: isInSight }]);
  }

  globalThis.IntersectionObserver = Observer as unknown as typeof IntersectionObserver;
  return value => {
    isInSight = value;
    act(() => observers.forEach(tell => tell()));
  };
}
