/** The output of a terminal as lines with colours, and nothing else that a terminal would understand. Pure. */

/**
 * Escape sequences as ECMA-48 has them: control sequences with their last byte, strings (OSC, DCS, APC …) to their end,
 * and the short ones.
 */
const SEQUENCES =
  /\x1b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*[0-~]|$)/g;

const CONTROLS = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g;

/** Leaves the sequences that colour text (SGR), tabs and ends of lines. */
export function onlyColours(output: string): string {
  return output
    .replace(SEQUENCES, (sequence, parameters: string | undefined, last: string | undefined) =>
      last === 'm' && /^[0-9;:]*$/.test(parameters ?? '') ? sequence : ''
    )
    .replace(CONTROLS, '');
}
