import { isShown } from '../services/visible';
import { mockSight } from './sight';

describe('isShown', () => {
  let visibility: jest.SpyInstance<DocumentVisibilityState, []>;

  beforeEach(() => {
    visibility = jest.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible');
    (globalThis as { CSS?: unknown }).CSS ??= { escape: (text: string) => text };
    document.body.innerHTML = '<div data-ptytask="a"></div><p data-ptytask="a"></p>';
  });

  afterEach(() => visibility.mockRestore());

  it('is true of what is in sight, in a page that is', async () => {
    const setSight = mockSight();
    expect([await isShown('a'), await isShown('b')]).toEqual([true, false]);
    setSight(false);
    expect(await isShown('a')).toBe(false);
    setSight(true);
    visibility.mockReturnValue('hidden');
    expect(await isShown('a')).toBe(false);
  });

  it('does not wait for a browser that draws nothing', async () => {
    globalThis.IntersectionObserver = class {
      observe() {
        /* says nothing */
      }
      disconnect() {
        /* nothing to do */
      }
    } as unknown as typeof IntersectionObserver;
    expect(await isShown('a')).toBe(false);
  });
});
