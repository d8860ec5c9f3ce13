/** What a task needs of the machine: in words, and how it went lately as a small picture. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef } from 'react';

import type { TaskFollower } from '../follower';
import { peakLabel, usageDetails, usageLabel } from '../measures';
import { useSignalValue } from '../store';
import { isLive, type ISample, type ITask } from '../task';
import { useSeen } from './hooks';

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
  const live = isLive(task);
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
  useFollowing(props.follower, useSeen(ref) && isLive(props.task));
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

/** Each line has a height of its own measure: the words beside it say how much that is. */
function Sparkline({ samples }: { samples: readonly ISample[] }): JSX.Element {
  return (
    <svg
      className="jp-PtyTasks-sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden
    >
      <polyline data-of="memory" points={points(samples.map(sample => sample.rss))} />
      <polyline data-of="cpu" points={points(samples.map(sample => sample.cpu))} />
    </svg>
  );
}

/** The corners of a line through the values, in the order of time; what was not measured is passed over. */
export function points(values: readonly (number | null)[]): string {
  const most = Math.max(...values.map(value => value ?? 0), Number.MIN_VALUE);
  const step = WIDTH / Math.max(1, values.length - 1);
  // Half the width of the line stays free, above and below.
  const place = (value: number) => HEIGHT - 1 - (value / most) * (HEIGHT - 2);
  return values
    .flatMap((value, at) =>
      value === null ? [] : [`${(at * step).toFixed(1)},${place(value).toFixed(1)}`]
    )
    .join(' ');
}
