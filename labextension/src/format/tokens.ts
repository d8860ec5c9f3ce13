/** Output as text and escape sequences, in the grammar of xterm.js. Pure. */

const CONTROL = '[\\x00-\\x17\\x19\\x1c-\\x1f\\x7f]';
const HEADER = '[\\x00-\\x17\\x19\\x1c-\\x3f\\x7f]*';
const ABORTED = '[\\x18\\x1a]|[^\\x00-\\x7f]|(?=\\x1b)|$';
const END = '(?:\\x1b\\\\|[\\x18\\x1a]|(?=\\x1b[^\\\\])|\\x1b?$)';
/** Matches text, or one control character or sequence, complete or cut off by the end, in the grammar of xterm.js. */
export const TOKEN = new RegExp(
  [
    '[^\\x00-\\x1f\\x7f]+',
    '\\x1b\\[([<-?]?)([0-9;:]*)([ -/]*)([@-~])',
    `\\x1b${CONTROL}*(?:${[
      `\\[${HEADER}(?:[@-~]|${ABORTED})`,
      `\\][^\\x07\\x18\\x1a\\x1b]*(?:\\x07|${END})`,
      `P${HEADER}(?:[@-~][^\\x18\\x1a\\x1b]*${END}|\\x1b\\\\|${ABORTED})`,
      `[X^_][\\x00-\\x17\\x19\\x1c-\\x7f]*(?:${END}|[^\\x00-\\x7f])`,
      `[ -/][\\x00-\\x17\\x19\\x1c-/\\x7f]*(?:[0-~]|${ABORTED})`,
      '[0-OQ-WYZ\\\\`-~]',
      ABORTED
    ].join('|')})`,
    '[\\x00-\\x1a\\x1c-\\x1f\\x7f]'
  ].join('|'),
  'gu'
);
/** C1 controls, which abbreviate escape sequences. Those that xterm.js does not know only end an unfinished sequence. */
const C1 = /[\x80-\x9f]/g;
const KNOWN_C1 = '\x84\x85\x88\x90\x98\x9b\x9c\x9d\x9e\x9f';
/** Control characters within a sequence: those that take effect, and all that are not part of the sequence. */
export const INSIDE = /[\x00-\x17\x19\x1c-\x1f]/g;
export const IGNORED = /[\x00-\x17\x19\x1c-\x1f\x7f]/g;
export const WELL_FORMED = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])$/;
export const CSI = /^\x1b\[([<-?]?)([0-9;:]*)([ -/]*)([@-~])$/;
export const STRING = /^\x1b[\x00-\x17\x19\x1c-\x1f\x7f]*([\]PX^_])/;

/** Return output with C1 controls replaced by the sequences that they abbreviate. */
export function withoutC1(output: string): string {
  return output.replace(C1, char =>
    KNOWN_C1.includes(char) ? `\x1b${String.fromCharCode(char.charCodeAt(0) - 0x40)}` : '\x18\x18'
  );
}
