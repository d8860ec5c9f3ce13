/** What a task needs of the machine: in words, and how it went lately as a small picture. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef } from 'react';

import type { TaskFollower } from '../services/follower';
import { peakLabel, usageDetails, usageLabel } from '../format/measures';
import { useSignalValue } from '../services/watchedvalue';
import { isActive, type ISample, type ITask } from '../services/types';
import { useIsVisible } from './hooks';

/** The size of the picture, in units of its own. */
const WIDTH = 60;
const HEIGHT = 16;

export interface IUsageProps {
  task: ITask;
  follower: TaskFollower;
  trans: TranslationBundle;
}

/** Of a live task the present and the last minutes, of another one the most that it needed. */
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

/** The same, following the task by itself while it is live and can be seen. */
export function WatchedUsage(props: IUsageProps): JSX.Element {
  const ref = useRef<HTMLSpanElement>(null);
  useFollowing(props.follower, useIsVisible(ref) && isActive(props.task));
  return (
    <span ref={ref} className="jp-PtyTasks-watched">
      <Usage {...props} />
    </span>
  );
}

/** Has a follower ask while somebody looks. */
export function useFollowing(follower: TaskFollower, isSeen: boolean): void {
  useEffect(() => {
    follower.isActive = isSeen;
    return () => {
      follower.isActive = false;
    };
  }, [follower, isSeen]);
}

/** A processor that has nothing else to do is half of the height, as long as more are not used. */
const CORES = 200;

/** Each line has a measure of its own: the words beside it say how much that is. */
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
 * The corners of a line through the values, in the order of time; `top` is what is as high as the picture. What was not
 * measured is passed over.
 */
export function points(values: readonly (number | null)[], top: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  // Half the width of the line stays free, above and below.
  const place = (value: number) => HEIGHT - 1 - (value / (top || 1)) * (HEIGHT - 2);
  return values
    .flatMap((value, at) =>
      value === null ? [] : [`${(at * step).toFixed(1)},${place(value).toFixed(1)}`]
    )
    .join(' ');
}
