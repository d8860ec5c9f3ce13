/** What components watch besides signals: the time, and whether anybody can see them. */

import { useEffect, useState, type RefObject } from 'react';

import { serverNow } from '../services/clock';

const SECOND = 1000;

/** The server's time, once a second while it matters. */
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

/** Whether any of an element is in sight: not scrolled away, not in another tab of Lab's, not in a page behind others. */
export function useIsVisible(ref: RefObject<Element>): boolean {
  const [isInSight, setInSight] = useState(false);
  const [isPageShown, setPageShown] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    if (!ref.current) {
      return;
    }
    const observer = new IntersectionObserver(entries => {
      // Only the last of several says how it is now.
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
  return isInSight && isPageShown;
}
