/** Formats the values of metrics. Pure. */

/** Significant digits: enough to tell runs apart, few enough to compare them at a glance. */
const DIGITS = 4;

const THOUSAND = 1e5;
const THOUSANDTH = 1e-3;

/** Return a number with four significant digits: `0.3142`, `98.7`, `1.5e-4`; `nan` and `inf` as programs print them. */
export function metricValue(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  }
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(DIGITS));
  return size !== 0 && (size >= THOUSAND || size < THOUSANDTH)
    ? rounded.toExponential().replace('e+', 'e')
    : `${rounded}`;
}
