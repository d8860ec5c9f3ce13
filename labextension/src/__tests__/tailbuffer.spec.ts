import { TailBuffer } from '../services/tailbuffer';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('TailBuffer', () => {
  it('begins near the end, with a whole line', () => {
    const tail = new TailBuffer(3);
    expect(tail.lines).toBeUndefined();
    expect(tail.from(100)).toBe(0);
    expect(tail.from(1_000_000)).toBe(1_000_000 - 65536);
    tail.take({ data: bytes('cut off\r\none\r\ntwo\r\n'), offset: 1000, end: 1019 });
    expect(tail.lines).toBe('one\ntwo');
  });

  it('reads on where it was, also in the middle of a character', () => {
    const tail = new TailBuffer(3);
    const data = bytes('zwölf\r\n');
    expect(tail.take({ data: data.slice(0, 3), offset: 0, end: 8 })).toBe(true);
    expect(tail.from(7)).toBe(3);
    expect(tail.take({ data: data.slice(3), offset: 3, end: 8 })).toBe(false);
    expect(tail.lines).toBe('zwölf');
  });

  it('starts over where something was missed', () => {
    const tail = new TailBuffer(3);
    tail.take({ data: bytes('one\r\n'), offset: 0, end: 4 });
    expect(tail.from(1_000_000)).toBe(1_000_000 - 65536);
    tail.take({ data: bytes('rest\r\nlast\r\n'), offset: 1_000_000, end: 1_000_010 });
    expect(tail.lines).toBe('last');
  });

  it('holds no more than it needs', () => {
    const tail = new TailBuffer(2);
    let offset = 0;
    for (let index = 0; index < 50; index++) {
      const data = bytes(`${index} ${'x'.repeat(8000)}\r\n`);
      tail.take({ data, offset, end: offset + data.length });
      offset += data.length;
    }
    expect(tail.lines?.split('\n').map(line => line.slice(0, 3))).toEqual(['48 ', '49 ']);
  });

  it('begins with what is drawn last, where a line has no end', () => {
    const tail = new TailBuffer(3);
    const bar = bytes('\r 10%|#    | 1/10\r 20%|##   | 2/10');
    tail.take({ data: bar.slice(4), offset: 1_000_000, end: 1_000_100 }, { rows: 24, cols: 80 });
    expect(tail.lines).toBe(' 20%|##   | 2/10');
  });
});
