/** The appearance of text: what SGR sequences set, and lines of cells as text with such sequences. Pure. */

/** Attributes by name, each as an SGR parameter; missing ones have their default. */
export type Pen = Readonly<Partial<Record<Slot, string>>>;

type Slot = (typeof ORDER)[number] | 'fg' | 'bg';

export const PLAIN: Pen = {};

const ORDER = [
  'bold',
  'dim',
  'italic',
  'underline',
  'blink',
  'inverse',
  'invisible',
  'strike',
  'overline'
] as const;
const ON: Record<number, Slot> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  5: 'blink',
  7: 'inverse',
  8: 'invisible',
  9: 'strike',
  53: 'overline'
};
const OFF: Record<number, readonly Slot[]> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  25: ['blink'],
  27: ['inverse'],
  28: ['invisible'],
  29: ['strike'],
  39: ['fg'],
  49: ['bg'],
  55: ['overline']
};
/** Attributes that are visible on a blank. */
const SHOWN: readonly Slot[] = ['underline', 'inverse', 'strike', 'overline', 'bg'];
const RESET = '\x1b[0m';
/** The most parameters of a sequence that xterm.js reads. */
const MOST_PARAMETERS = 32;

/** The pen after an SGR sequence with these parameters. */
export function color(pen: Pen, parameters: string): Pen {
  const fields = parameters.split(';').slice(0, MOST_PARAMETERS);
  let slots: Partial<Record<Slot, string>> = { ...pen };
  for (let at = 0; at < fields.length; at++) {
    const code = Number.parseInt(fields[at], 10) || 0;
    if (code === 38 || code === 48 || code === 58) {
      const [length, value] = extended(fields.slice(at));
      if (value && code !== 58) {
        slots[code === 38 ? 'fg' : 'bg'] = value;
      }
      at += length - 1;
    } else if (code === 0) {
      slots = {};
    } else if (code === 4 && /^0*4:0+$/.test(fields[at])) {
      delete slots.underline;
    } else if (code === 21) {
      slots.underline = '4';
    } else if (ON[code]) {
      slots[ON[code]] = `${code}`;
    } else if (OFF[code]) {
      slots = without(slots, OFF[code]);
    } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
      slots.fg = `${code}`;
    } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
      slots.bg = `${code}`;
    }
  }
  return slots;
}

function without(pen: Pen, slots: readonly Slot[]): Partial<Record<Slot, string>> {
  return Object.fromEntries(Object.entries(pen).filter(([slot]) => !slots.includes(slot as Slot)));
}

/** Parse the palette or RGB color at the start of `fields`. Return how many fields it takes, and its SGR parameter. */
function extended(fields: readonly string[]): [number, string] {
  if (fields[0].includes(':')) {
    const [what, mode, ...values] = fields[0]
      .split(':')
      .map(value => Number.parseInt(value, 10) || 0);
    // With colons, the color space comes first, even if it is empty.
    return [1, spelled(what, mode, mode === 2 ? values.slice(1) : values)];
  }
  const [what, mode, ...values] = fields.map(value => Number.parseInt(value, 10) || 0);
  const length = { 5: 3, 2: 5, 0: 7 }[mode ?? 0] ?? 6;
  return [length, spelled(what, mode, values)];
}

function spelled(what: number, mode: number, values: readonly number[]): string {
  const byte = (at: number) => (values[at] ?? 0) & 0xff;
  if (mode === 5) {
    return `${what};5;${byte(0)}`;
  }
  return mode === 2 ? `${what};2;${byte(0)};${byte(1)};${byte(2)}` : '';
}

/** Whether this look is visible on a blank. */
export function showsBlanks(pen: Pen): boolean {
  return SHOWN.some(slot => pen[slot] !== undefined);
}

/** The SGR parameters of a pen; the same for equal ones. */
function sequence(pen: Pen): string {
  return [...ORDER, 'fg' as const, 'bg' as const]
    .map(slot => pen[slot])
    .filter(value => value !== undefined)
    .join(';');
}

/** Return characters with their pens as text. It sets the first pen at its beginning and resets the last one at its end. */
export function write(cells: readonly (readonly [string, Pen])[]): string {
  let text = '';
  let drawn = '';
  let before = PLAIN;
  for (const [char, pen] of cells) {
    if (pen !== before) {
      const wanted = sequence(pen);
      if (wanted !== drawn) {
        text += (drawn && RESET) + (wanted && `\x1b[${wanted}m`);
        drawn = wanted;
      }
      before = pen;
    }
    text += char;
  }
  return text + (drawn && RESET);
}
