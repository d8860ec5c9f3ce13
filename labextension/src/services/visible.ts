/** Which tasks are visible on the page: their terminals, details, or cells that show them. */

/** Milliseconds in which a browser reports visibility, unless it does not render at all. */
const PATIENCE = 500;

/** Return whether the page is visible and an element that shows the task (`data-ptytask`) is in the viewport. */
export async function isShown(id: string): Promise<boolean> {
  if (document.visibilityState !== 'visible') {
    return false;
  }
  const nodes = document.querySelectorAll(`[data-ptytask="${CSS.escape(id)}"]`);
  const seen = await Promise.all([...nodes].map(isInViewport));
  return seen.includes(true);
}

/** Return the ids of all tasks that are shown. */
export async function shownTasks(): Promise<string[]> {
  if (document.visibilityState !== 'visible') {
    return [];
  }
  const nodes = [...document.querySelectorAll<HTMLElement>('[data-ptytask]')];
  const seen = await Promise.all(nodes.map(isInViewport));
  return [...new Set(nodes.filter((_, at) => seen[at]).map(node => node.dataset.ptytask ?? ''))];
}

/** Return whether a part of the element is in the viewport: not scrolled away, not in a hidden tab. */
function isInViewport(node: Element): Promise<boolean> {
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
