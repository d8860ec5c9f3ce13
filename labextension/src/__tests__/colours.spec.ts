import { onlyColours } from '../colours';

describe('onlyColours', () => {
  it.each([
    ['colours', '\x1b[1;32mok\x1b[0m\x1b[m', '\x1b[1;32mok\x1b[0m\x1b[m'],
    ['the moves of the cursor', 'a\x1b[2K\x1b[1;1Hb\x1b[?25l', 'ab'],
    ['what looks like a colour', '\x1b[>4;2mx\x1b[?1m', 'x'],
    ['progress', '\x1b]9;4;1;42\x1b\\working\x1b]7784;{"done":1}\x07', 'working'],
    ['links', '\x1b]8;;http://a.b\x1b\\text\x1b]8;;\x1b\\', 'text'],
    ['other strings', '\x1bPq#0\x1b\\a\x1b_x\x1b\\b', 'ab'],
    ['a string that is cut off', 'a\x1b]0;tit', 'a'],
    ['a sequence that is cut off', 'a\x1b', 'a'],
    ['short ones', 'a\x1b(Bb\x1b=c\x1bM', 'abc'],
    ['controls', 'a\x07\x08b\tc\r\nd\x9b', 'ab\tc\nd']
  ])('knows %s', (_, output, left) => {
    expect(onlyColours(output)).toBe(left);
  });
});
