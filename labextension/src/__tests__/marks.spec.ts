/** The commands of a shell are found in a terminal by their marks, and jumped to. */

import { CommandMarks, type IMarkable } from '../terminal/marks';

/** A terminal of 9 rows; `at` puts the cursor and the end, `osc` prints a mark, `reset` a RIS. */
function terminal() {
  const drawn: { line: number; width: number; element: HTMLElement; isGone: boolean }[] = [];
  const active = {
    type: 'normal' as 'normal' | 'alternate',
    viewportY: 0,
    baseY: 0,
    cursorY: 0
  };
  let onOsc: (data: string) => boolean;
  let onReset: () => boolean;
  let onBuffer: () => void;
  const xterm = {
    rows: 9,
    cols: 80,
    options: { allowProposedApi: true },
    buffer: { active, onBufferChange: (listener: () => void) => (onBuffer = listener) },
    parser: {
      registerOscHandler: (_: number, handler: typeof onOsc) => (onOsc = handler),
      registerEscHandler: (_: object, handler: typeof onReset) => (onReset = handler)
    },
    registerMarker: () => {
      const marker = {
        line: active.baseY + active.cursorY,
        isDisposed: false,
        dispose: () => {
          marker.isDisposed = true;
        }
      };
      return marker;
    },
    registerDecoration: ({ marker, width }: { marker: { line: number }; width: number }) => {
      const one = {
        line: marker.line,
        width,
        element: document.createElement('div'),
        isGone: false
      };
      drawn.push(one);
      return {
        onRender: (listener: (element: HTMLElement) => void) => listener(one.element),
        dispose: () => {
          one.isGone = true;
        }
      };
    },
    scrollToLine: jest.fn((row: number) => {
      active.viewportY = Math.min(row, active.baseY);
    })
  };
  return {
    xterm,
    active,
    drawn,
    marks: new CommandMarks(xterm as unknown as IMarkable, exit => `exit ${exit}`),
    osc: (line: number, ...data: string[]) => {
      active.viewportY = active.baseY = Math.max(0, line - 8);
      active.cursorY = line - active.baseY;
      return data.map(one => onOsc(one));
    },
    reset: () => onReset(),
    switchTo: (type: 'normal' | 'alternate') => {
      active.type = type;
      onBuffer();
    }
  };
}

const [A, C, D] = ['A;ptytask=s.1', 'C;ptytask=s.1;n=1;t=1.5;cwd=/', 'D;0;ptytask=s.1;n=1'];

describe('CommandMarks', () => {
  let shell: ReturnType<typeof terminal>;
  /** Return the line that a jump led to. */
  const jump = (step: -1 | 1) => {
    shell.xterm.scrollToLine.mockClear();
    return shell.marks.jump(step) ? shell.xterm.scrollToLine.mock.calls[0][0] + 3 : null;
  };

  beforeEach(() => {
    jest.useFakeTimers();
    shell = terminal();
    // Three commands with fifty lines each, and a prompt.
    for (const line of [10, 60, 110]) {
      shell.osc(line, A, 'B;ptytask=s.1', C);
      shell.osc(line + 50, line === 60 ? 'D;2;ptytask=s.1;n=2' : D);
    }
    shell.osc(160, A);
  });

  afterEach(() => {
    shell.marks.dispose();
    jest.useRealTimers();
  });

  it('goes from one command to the other, and back to the prompt', () => {
    expect([jump(-1), jump(-1), jump(-1), jump(-1)]).toEqual([110, 60, 10, null]);
    expect([jump(1), jump(1), jump(1), jump(1)]).toEqual([60, 110, 160, null]);
  });

  it('goes on from where the user has scrolled to', () => {
    expect(jump(-1)).toBe(110);
    shell.active.viewportY = 80;
    expect(jump(-1)).toBe(60);
    shell.active.viewportY = 80;
    expect(jump(1)).toBe(110);
  });

  it('begins with the command that runs', () => {
    shell.osc(160, C);
    shell.osc(170);
    expect(jump(-1)).toBe(160);
  });

  it('forgets where it was when something else is run', () => {
    expect([jump(-1), jump(-1)]).toEqual([110, 60]);
    shell.osc(160, C);
    shell.osc(200, D, A);
    expect(jump(-1)).toBe(160);
  });

  it('takes a prompt that is drawn again for one', () => {
    shell.osc(163, A);
    shell.osc(163, C);
    shell.osc(200, D, A);
    expect([jump(-1), jump(-1)]).toEqual([163, 110]);
  });

  it('marks the line for a moment', () => {
    const shown = () => shell.drawn.filter(one => one.element.className === 'jp-PtyTasks-jumped');
    jump(-1);
    jump(-1);
    expect(shown().map(({ line, width, isGone }) => [line, width, isGone])).toEqual([
      [110, 80, true],
      [60, 80, false]
    ]);
    jest.advanceTimersByTime(5000);
    expect(shown().every(({ isGone }) => isGone)).toBe(true);
  });

  it('shows how commands ended', () => {
    const told = shell.drawn.map(({ line, element: { title, dataset } }) => [
      line,
      title,
      dataset.is
    ]);
    expect(told).toEqual([
      [10, 'exit 0', 'success'],
      [60, 'exit 2', 'failure'],
      [110, 'exit 0', 'success']
    ]);
  });

  it('draws nothing where decorations are not allowed', () => {
    shell.xterm.options.allowProposedApi = false;
    const before = shell.drawn.length;
    expect(jump(-1)).toBe(110);
    shell.osc(160, C, D);
    expect(shell.drawn).toHaveLength(before);
  });

  it('lets others look at the marks, and takes no notice of those of others', () => {
    expect(shell.osc(170, 'A', 'A;aid=7', 'C')).toEqual([false, false, false]);
    expect(jump(1)).toBeNull();
    expect(jump(-1)).toBe(110);
  });

  it('forgets all when the terminal is reset, as it is before a replay', () => {
    const changed = jest.fn();
    shell.marks.changed.connect(changed);
    expect(shell.reset()).toBe(false);
    expect(changed).toHaveBeenCalled();
    expect(shell.marks.canJump).toBe(false);
    expect(jump(-1)).toBeNull();
  });

  it('leaves full-screen programs alone', () => {
    const changed = jest.fn();
    shell.marks.changed.connect(changed);
    shell.switchTo('alternate');
    expect(changed).toHaveBeenCalled();
    expect(shell.marks.canJump).toBe(false);
    shell.osc(5, A);
    expect(jump(-1)).toBeNull();
    shell.switchTo('normal');
    shell.osc(160);
    expect(shell.marks.canJump).toBe(true);
    expect(jump(-1)).toBe(110);
  });

  it('keeps so many marks and no more', () => {
    for (let line = 200; line < 1000; line++) {
      shell.osc(line, A, C, D);
    }
    let jumps = 0;
    while (jump(-1) !== null) {
      jumps += 1;
    }
    expect(jumps).toBe(500);
  });
});
