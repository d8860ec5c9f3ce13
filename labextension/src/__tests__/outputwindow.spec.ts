/** The window on a task's output grows at both ends, whatever lines are missing. */

import { OutputWindow } from '../services/outputwindow';
import type { IOutput } from '../services/types/output';

/** A server with these lines; it returns at most `most` of them at once. */
function server(numbers: number[], most = 500, first = 0) {
  const total = (numbers[numbers.length - 1] ?? -1) + 1;
  const asked: Record<string, string>[] = [];
  const lines = async (_: string, query: Record<string, string>): Promise<IOutput> => {
    asked.push(query);
    const since = Number(query.since ?? 0);
    let kept = numbers.filter(number => number >= since);
    if (query.grep) {
      kept = kept.filter(number =>
        new RegExp(query.grep.replace('(?i)', '')).test(`line ${number}`)
      );
    }
    const count = Math.min(most, Number(query.max_lines ?? query.tail_lines));
    const shown = query.mode === 'tail' ? kept.slice(-count) : kept.slice(0, count);
    const more = query.mode !== 'tail' && shown.length < kept.length;
    return {
      output: shown.map(number => `line ${number}\n`).join(''),
      first_line: shown[0] ?? since,
      next_line: more ? kept[count] : total,
      total_lines: total,
      lines_omitted: Math.max(0, first - since),
      more,
      ended: true,
      line_numbers: shown,
      times: shown.map(() => null)
    };
  };
  return { lines, asked };
}

const range = (begin: number, end: number) =>
  Array.from({ length: end - begin }, (_, at) => begin + at);
const shown = (output: OutputWindow) => output.lines.map(({ number }) => number);

describe('OutputWindow', () => {
  it('begins at the end and loads earlier lines in pages', async () => {
    const output = new OutputWindow('id', server(range(0, 1200)));
    await output.toEnd();
    expect([shown(output), output.hasEarlier, output.hasLater]).toEqual([
      range(700, 1200),
      true,
      false
    ]);
    expect(output.lines[0].text).toBe('line 700');
    await output.earlier();
    expect(shown(output)).toEqual(range(200, 1200));
    await output.earlier();
    expect([shown(output), output.hasEarlier]).toEqual([range(0, 1200), false]);
    expect(output.discarded).toBe(0);
  });

  it('goes on where the server returned fewer lines than were asked for', async () => {
    const output = new OutputWindow('id', server(range(0, 1200), 90));
    await output.toEnd();
    await output.earlier();
    expect(shown(output)).toEqual(range(610, 1200));
  });

  it('passes over numbers that are missing', async () => {
    const numbers = [...range(0, 10), ...range(5000, 5010)];
    const output = new OutputWindow('id', server(numbers));
    await output.to(5005);
    await output.earlier();
    expect(shown(output)).toEqual(numbers);
    expect(output.hasEarlier).toBe(false);
  });

  it('stops where the output was discarded', async () => {
    const output = new OutputWindow('id', server(range(1000, 2000), 500, 1000));
    await output.toEnd();
    await output.earlier();
    expect([output.hasEarlier, output.discarded]).toEqual([true, 0]);
    await output.earlier();
    expect([shown(output), output.hasEarlier]).toEqual([range(1000, 2000), false]);
    expect(output.discarded).toBe(1000);
    await output.toEnd();
    await output.to(1000);
    expect(output.discarded).toBe(1000);
  });

  it('goes to a line, and on from there', async () => {
    const { lines, asked } = server(range(0, 3000));
    const output = new OutputWindow('id', { lines });
    await output.to(1000);
    expect([shown(output), output.hasLater]).toEqual([range(750, 1250), true]);
    await output.later();
    expect(shown(output)).toEqual(range(750, 1750));
    const count = asked.length;
    await output.to(1500);
    expect(asked.length).toBe(count);
  });

  it('goes on as a running task does', async () => {
    let count = 3;
    const output = new OutputWindow('id', {
      lines: async (id, query) => ({
        ...(await server(range(0, count)).lines(id, query)),
        ended: false
      })
    });
    await output.toEnd();
    expect([shown(output), output.hasLater]).toEqual([range(0, 3), true]);
    count = 5;
    await output.later();
    expect([shown(output), output.total]).toEqual([range(0, 5), 5]);
  });

  it('finds the first error', async () => {
    const output = new OutputWindow('id', server(range(0, 100)));
    expect(await output.firstError()).toBeNull();
  });

  it('goes on after a failure', async () => {
    let fails = true;
    const { lines } = server(range(0, 10));
    const output = new OutputWindow('id', {
      lines: (id, query) => (fails ? Promise.reject(new Error('away')) : lines(id, query))
    });
    await expect(output.toEnd()).rejects.toThrow('away');
    fails = false;
    await output.toEnd();
    expect(shown(output)).toEqual(range(0, 10));
  });
});
