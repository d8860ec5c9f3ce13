/** The most important metric of a task: a sparkline and the last value. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { heights, numeral, trendOf } from '../format/curves';
import type { ITask } from '../services/types/tasks';

/** The size of the sparkline in its own units, and the margin for half the width of its line. */
const WIDTH = 40;
const HEIGHT = 12;
const EDGE = 1;

interface ITrendProps {
  task: Pick<ITask, 'metrics'>;
  /** Whether to show the name as well; otherwise it is only in the tooltip. */
  isNamed?: boolean;
  trans: TranslationBundle;
}

export function Trend({ task, isNamed = false, trans }: ITrendProps): JSX.Element | null {
  const found = trendOf(task.metrics);
  if (!found) {
    return null;
  }
  const { name, value, trend } = found;
  const label = trans.__('%1 %2', name, numeral(value));
  return (
    <span className="jp-PtyTasks-trend" title={label}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
        {lines(trend).map(points => (
          <polyline key={points} points={points} />
        ))}
      </svg>
      {isNamed ? (
        <span>{label}</span>
      ) : (
        <span role="img" aria-label={label}>
          {numeral(value)}
        </span>
      )}
    </span>
  );
}

/** Return the points of the polylines of a curve, which is interrupted where a value is missing. */
function lines(trend: readonly (number | null)[]): string[] {
  const step = WIDTH / (trend.length - 1);
  const found: string[][] = [[]];
  heights(trend).forEach((height, at) => {
    if (height === null) {
      found.push([]);
    } else {
      const y = EDGE + height * (HEIGHT - 2 * EDGE);
      found[found.length - 1].push(`${(at * step).toFixed(1)},${y.toFixed(1)}`);
    }
  });
  return found.filter(points => points.length > 1).map(points => points.join(' '));
}
