import { EndKeeper } from '../terminal/endkeeper';

describe('EndKeeper', () => {
  let keeper: EndKeeper;
  let node: HTMLElement;
  let changes: boolean[];
  const screen = {
    isAtEnd: true,
    scrollToEnd: () => {
      screen.isAtEnd = true;
    }
  };

  /** Something has scrolled the terminal. */
  const scroll = (isAtEnd: boolean) => {
    screen.isAtEnd = isAtEnd;
    keeper.look();
  };
  const input = (type: string, target: EventTarget = node, init: KeyboardEventInit = {}) =>
    target.dispatchEvent(
      type === 'keydown' ? new KeyboardEvent(type, { bubbles: true, ...init }) : new Event(type)
    );
  const frames = () => jest.advanceTimersByTime(100);

  beforeEach(() => {
    jest.useFakeTimers();
    node = document.createElement('div');
    screen.isAtEnd = true;
    changes = [];
    keeper = new EndKeeper(screen, node);
    keeper.changed.connect(({ isAtEnd }) => void changes.push(isAtEnd));
  });

  afterEach(() => {
    keeper.dispose();
    jest.useRealTimers();
  });

  it('reverts scrolling that the user did not cause', () => {
    for (let time = 0; time < 3; time++) {
      scroll(false);
      expect(screen.isAtEnd).toBe(true);
      frames();
    }
    expect(changes).toEqual([]);
  });

  it.each(['wheel', 'touchmove'])('leaves the end by %s, and comes back to it', type => {
    input(type);
    scroll(false);
    frames();
    scroll(false);
    expect([screen.isAtEnd, changes]).toEqual([false, [false]]);
    input(type);
    scroll(true);
    frames();
    scroll(false);
    expect([screen.isAtEnd, changes]).toEqual([true, [false, true]]);
  });

  it.each([
    ['PageUp', false],
    ['Home', false],
    ['a', true],
    ['Enter', true]
  ])('knows which keys scroll: %s', (key, isAtEnd) => {
    input('keydown', node, { key });
    scroll(false);
    expect(screen.isAtEnd).toBe(isAtEnd);
  });

  it('follows a drag for as long as it takes, wherever it ends', () => {
    input('pointerdown');
    frames();
    scroll(false);
    expect(screen.isAtEnd).toBe(false);
    scroll(true);
    input('pointerup', window);
    frames();
    scroll(false);
    expect(screen.isAtEnd).toBe(true);
  });

  it('lets a search go where it wants to', () => {
    keeper.noteIntent();
    scroll(false);
    expect(screen.isAtEnd).toBe(false);
  });

  it('goes back to the end when it is told to, and follows it again', () => {
    input('wheel');
    scroll(false);
    frames();
    keeper.jump();
    expect([keeper.isAtEnd, changes]).toEqual([true, [false, true]]);
    scroll(false);
    expect(screen.isAtEnd).toBe(true);
  });

  it('listens to nothing once it is disposed', () => {
    keeper.dispose();
    input('wheel');
    scroll(false);
    expect(changes).toEqual([]);
  });
});
