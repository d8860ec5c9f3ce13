import { lastLines } from '../format/ansilines';

describe('lastLines', () => {
  it.each([
    ['colours', '\x1b[1;32mok\x1b[0m \x1b[31mbad\x1b[m', '\x1b[1;32mok\x1b[0m \x1b[31mbad\x1b[0m'],
    ['colours that go on', '\x1b[31ma\nb\x1b[0m', '\x1b[31ma\x1b[0m\n\x1b[31mb\x1b[0m'],
    ['what looks like a colour', '\x1b[>4;2mx\x1b[?1m', 'x'],
    ['bars', ' 10%|#   |\r 50%|##  |\r100%|####|\ndone', '100%|####|\ndone'],
    ['shorter bars', 'loading\rok\x1b[K', 'ok'],
    ['nested bars', 'outer 1\ninner 1\x1b[A\router 2\ninner 2\x1b[A\x1b[Bx', 'outer 2\ninner 2x'],
    ['tables that are drawn again', 'a\nb\nc\x1b[2A\r\x1b[JA\nB', 'A\nB'],
    ['moves within a line', 'abc\x1b[2Dx\x1b[5Gy\x1b[2Cz\x08Z\x1b[1K', ''],
    ['erasing', 'abc\x1b[2K\x1b[1Gd', 'd'],
    ['progress', '\x1b]9;4;1;42\x1b\\working\x1b]7784;{"done":1}\x07', 'working'],
    ['links', '\x1b]8;;http://a.b\x1b\\text\x1b]8;;\x1b\\', 'text'],
    ['other strings', '\x1bPq#0\x1b\\a\x1b_x\x1b\\b', 'ab'],
    ['a string that is cut off', 'a\x1b]0;tit', 'a'],
    ['a sequence that is cut off', 'a\x1b[3', 'a'],
    ['programs that fill the screen', 'a\n\x1b[?1049hmenu\n\x1b[2Jmore\x1b[?1049lb', 'a\nb'],
    ['short ones', 'a\x1b(Bb\x1b=c\x1bMd', 'abcd'],
    ['controls', 'a\x07b\tc\r\nd\x9b', 'ab      c\nd'],
    ['other letters', 'é\r漢字🎉', '漢字🎉'],
    ['lines that are empty at the end', 'a\n\nb\n\n', 'a\n\nb']
  ])('knows %s', (_, output, lines) => {
    expect(lastLines(output, 10)).toBe(lines);
  });

  it('gives no more than was asked for', () => {
    expect(lastLines('1\n2\n3\n4\n', 2)).toBe('3\n4');
  });

  it('is quick with a bar that is drawn thousands of times', () => {
    const output = Array.from({ length: 2000 }, (_, index) => `\r\x1b[32m${index}\x1b[0m of 2000`);
    const since = performance.now();
    expect(lastLines(output.join(''), 10)).toBe('\x1b[32m1999\x1b[0m of 2000');
    expect(performance.now() - since).toBeLessThan(500);
  });
});
