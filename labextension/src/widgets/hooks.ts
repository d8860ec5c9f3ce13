/** React hooks for the time, for visibility, and for unseen tasks. */

import { useCallback, useEffect, useState, useSyncExternalStore, type RefObject } from 'react';

import { serverNow } from '../services/clock';
import type { ITask } from '../services/types/tasks';
import type { ISeenTasks } from '../tokens';

const SECOND = 1000;

/** Return the server's time, updated every second while it matters. */
export function useNow(matters: boolean): number {
  const [now, setNow] = useState(serverNow());
  useEffect(() => {
    setNow(serverNow());
    if (!matters) {
      return;
    }
    const timer = setInterval(() => setNow(serverNow()), SECOND);
    return () => clearInterval(timer);
  }, [matters]);
  return now;
}

/** Return whether a part of the element is visible: not scrolled away, not in a hidden tab, not on a hidden page. */
export function useIsVisible(ref: RefObject<Element>): boolean {
  const [isInViewport, setInSight] = useState(false);
  const [isPageShown, setPageShown] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    if (!ref.current) {
      return;
    }
    const observer = new IntersectionObserver(entries => {
      // The last entry is the current one.
      setInSight(entries[entries.length - 1].isIntersecting);
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const look = () => setPageShown(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return isInViewport && isPageShown;
}

const NONE: readonly ITask[] = [];

/** Return the failed tasks that the user has not seen; none if `seen` is null. */
export function useUnseen(seen: ISeenTasks | null): readonly ITask[] {
  const subscribe = useCallback(
    (onChange: () => void) => {
      seen?.changed.connect(onChange);
      return () => void seen?.changed.disconnect(onChange);
    },
    [seen]
  );
  return useSyncExternalStore(subscribe, () => seen?.unseen ?? NONE);
}
