/** The resource usage of a task: values and a sparkline. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef } from 'react';

import type { TaskFollower } from '../services/follower';
import { peakLabel, usageDetails, usageLabel } from '../format/measures';
import { useSignalValue } from '../services/watchedvalue';
import type { ISample } from '../services/types/measured';
import { isActive } from '../services/types/states';
import type { ITask } from '../services/types/tasks';
import { useIsVisible } from './hooks';

/** The size of the sparkline in its own units. */
const WIDTH = 60;
const HEIGHT = 16;

export interface IUsageProps {
  task: ITask;
  follower: TaskFollower;
  trans: TranslationBundle;
}

/** The current usage and the last minutes of an active task, or the peaks of an ended one. */
export function Usage({ task, follower, trans }: IUsageProps): JSX.Element | null {
  const samples = useSignalValue(follower.changed, () => follower.samples);
  if (!task.usage) {
    return null;
  }
  const live = isActive(task);
  const label = live ? usageLabel(task.usage, trans) : peakLabel(task.usage, trans);
  if (!label) {
    return null;
  }
  return (
    <span className="jp-PtyTasks-usage" title={usageDetails(task.usage, trans)}>
      {live && samples.length > 1 && <Sparkline samples={samples} />}
      <span>{label}</span>
    </span>
  );
}

/** The usage of a task that is followed while it is active and visible. */
export function WatchedUsage(props: IUsageProps): JSX.Element {
  const ref = useRef<HTMLSpanElement>(null);
  useFollowing(props.follower, useIsVisible(ref) && isActive(props.task));
  return (
    <span ref={ref} className="jp-PtyTasks-watched">
      <Usage {...props} />
    </span>
  );
}

/** Activate a follower while the component is visible. */
export function useFollowing(follower: TaskFollower, isSeen: boolean): void {
  useEffect(() => {
    follower.isActive = isSeen;
    return () => {
      follower.isActive = false;
    };
  }, [follower, isSeen]);
}

/** The scale: one fully busy core is half the height until the task uses more than two. */
const CORES = 200;

/** CPU and memory, each with its own scale: the text next to it has the values. */
function Sparkline({ samples }: { samples: readonly ISample[] }): JSX.Element {
  const cpu = samples.map(sample => sample.cpu);
  const memory = samples.map(sample => sample.rss);
  const highest = (values: readonly (number | null)[]) =>
    Math.max(...values.map(value => value ?? 0));
  return (
    <svg
      className="jp-PtyTasks-sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden
    >
      <polyline data-of="memory" points={points(memory, 1.25 * highest(memory))} />
      <polyline data-of="cpu" points={points(cpu, Math.max(CORES, highest(cpu)))} />
    </svg>
  );
}

/**
 * Return the points of a line through the values, oldest first. `top` is the value at full height. Missing values are
 * skipped.
 */
export function points(values: readonly (number | null)[], top: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  // Leave room for half the line width above and below.
  const place = (value: number) => HEIGHT - 1 - (value / (top || 1)) * (HEIGHT - 2);
  return values
    .flatMap((value, at) =>
      value === null ? [] : [`${(at * step).toFixed(1)},${place(value).toFixed(1)}`]
    )
    .join(' ');
}
