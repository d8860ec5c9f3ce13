/** React hooks for the time and for visibility. */

import { useEffect, useState, type RefObject } from 'react';

import { serverNow } from '../services/clock';

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
