/** Whether the user has a task before their eyes just now: its terminal, or a cell that shows it. */

/** Milliseconds in which a browser says what is in sight, unless it draws nothing at all. */
const PATIENCE = 500;

/** Whether anything that shows the task (`data-ptytask`) is in sight, in a page that is. */
export async function isShown(id: string): Promise<boolean> {
  if (document.visibilityState !== 'visible') {
    return false;
  }
  const nodes = document.querySelectorAll(`[data-ptytask="${CSS.escape(id)}"]`);
  const seen = await Promise.all([...nodes].map(isInSight));
  return seen.includes(true);
}

/** Whether any of an element is in sight: not scrolled away, not behind another tab. */
function isInSight(node: Element): Promise<boolean> {
  return new Promise(resolve => {
    const finish = (isSeen: boolean) => {
      clearTimeout(timer);
      observer.disconnect();
      resolve(isSeen);
    };
    const observer = new IntersectionObserver(entries => finish(entries.some(isIntersecting)));
    const timer = setTimeout(() => finish(false), PATIENCE);
    observer.observe(node);
  });
}

function isIntersecting(entry: IntersectionObserverEntry): boolean {
  return entry.isIntersecting;
}
