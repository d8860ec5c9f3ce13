/** Curves of metrics for charts and sparklines: along an axis, smoothed, rounded. Pure. */

import type { ICurve, IMetrics } from '../services/types/measured';

/** The horizontal axis: steps, or seconds since the start of the attempt. */
export type Axis = 'step' | 'time';

/** Values where some are missing: not a number, or not on the axis. */
export type Column = (number | null)[];

const DIGITS = 4;

/** The most digits of a number. */
const MOST_DIGITS = 15;

/** Seconds to which times of points are rounded. */
const ROUNDED = 0.001;

/** Return a number with four digits: `0.1235`, `1.2e-5`, `NaN`. */
export function numeral(value: number): string {
  return Number.isFinite(value) ? `${Number(value.toPrecision(DIGITS))}` : `${value}`;
}

/** Return a step with all its digits: it counts something. */
export function stepNumeral(step: number): string {
  return Number.isInteger(step) ? `${step}` : numeral(step);
}

/** Return the labels of an axis, with as many digits as they need to differ. `step` is the distance between two of them. */
export function ticks(values: readonly (number | null)[], step: number): string[] {
  return values.map(value => {
    // A logarithmic axis has ticks without a label.
    if (value === null) {
      return '';
    }
    const digits = value === 0 ? 1 : Math.ceil(Math.log10(Math.abs(value) / step)) + 2;
    return `${Number(value.toPrecision(Math.max(DIGITS, Math.min(digits, MOST_DIGITS))))}`;
  });
}

/** Return the best value of a metric; null if none of its values is a number. */
export function best(curve: Pick<ICurve, 'better' | 'min' | 'max'>): number | null {
  return curve.better === 'lower' ? curve.min : curve.max;
}

/** Return where the values of a curve are on an axis. `began` is the start of the attempt in Unix seconds. */
export function places(curve: ICurve, axis: Axis, began: number): number[] {
  return axis === 'step' ? curve.steps : curve.times.map(time => Math.max(0, time - began));
}

/**
 * Return a moving average of the values: each earlier one counts `weight` (0 to 1) times as much as the one after it. The first
 * averages are not biased toward zero. Values that are not finite become null, and do not count.
 */
export function smoothed(values: readonly number[], weight: number): Column {
  let sum = 0;
  let share = 0;
  return values.map(value => {
    if (!Number.isFinite(value)) {
      return null;
    }
    sum = weight * sum + value;
    share = weight * share + 1;
    return sum / share;
  });
}

/**
 * Return where on the axis output is missing: between the last point before each gap and the first one after it. `gaps` are in
 * Unix seconds. A gap is left out if positions do not increase there, as when steps start again.
 */
export function breaks(curve: ICurve, gaps: readonly number[], at: readonly number[]): number[] {
  const first = gaps.map(gap => curve.times.findIndex(time => time > gap - ROUNDED));
  return [...new Set(first)]
    .map(index => ({ from: at[index - 1], to: at[index] }))
    .filter(({ from, to }) => from < to)
    .map(({ from, to }) => (from + to) / 2);
}

/** Return the values that a logarithmic axis can show. */
export function positive(values: Column): Column {
  return values.map(value => (value !== null && value > 0 ? value : null));
}

/** Return a curve with newer points appended, except those that it already has. */
export function extended(curve: ICurve, newer: ICurve): ICurve {
  const last = curve.times[curve.times.length - 1] ?? -Infinity;
  // Times are rounded, so that the last points may come again.
  const from = newer.times.findIndex(time => time > last);
  const added = <T>(old: T[], more: T[]) => (from < 0 ? old : [...old, ...more.slice(from)]);
  return {
    ...newer,
    steps: added(curve.steps, newer.steps),
    times: added(curve.times, newer.times),
    values: added(curve.values, newer.values)
  };
}

/** The first metric of a task as a sparkline: its name, a few values of all, and the last one. */
export interface ITrend {
  name: string;
  value: number;
  trend: readonly (number | null)[];
}

/** Return the most important metric of a task if it has a curve; null otherwise. */
export function trendOf(metrics: IMetrics): ITrend | null {
  const [first] = Object.entries(metrics);
  if (!first || first[1].trend.length < 2) {
    return null;
  }
  const [name, { value, trend }] = first;
  return { name, value, trend };
}

/** Return the position of a curve within the height 1, from the top, at each value: null where there is none. */
export function heights(trend: readonly (number | null)[]): Column {
  const known = trend.filter(value => value !== null);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  return trend.map(value => (value === null ? null : span > 0 ? 1 - (value - low) / span : 0.5));
}
