/** How far a task is, as a thin bar. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { hasBar, percent } from '../format/measures';
import { isEnded, type IProgress, type ITask } from '../services/types';

export interface IProgressProps {
  task: ITask;
  progress: IProgress;
  /** How far it is, in words. */
  label: string;
  /** It tells how the task was some day. */
  isSnapshot?: boolean;
  trans: TranslationBundle;
}

/** Moves only while the task does: what has ended, or waits, stands still. */
export function ProgressBar(props: IProgressProps): JSX.Element | null {
  const { task, progress, label, isSnapshot = false, trans } = props;
  if (!hasBar(task, progress, isSnapshot)) {
    return null;
  }
  const done = percent(progress);
  const said = [label, progress.text].filter(part => part);
  return (
    <div
      className="jp-PtyTasks-progress"
      role="progressbar"
      aria-label={trans.__('Progress of %1', task.name)}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={done ?? undefined}
      aria-valuetext={said.join(' · ') || undefined}
      data-look={look(task, progress, isSnapshot)}
      title={said.join('\n')}
    >
      <div style={done === null ? undefined : { width: `${done}%` }} />
    </div>
  );
}

/** `unknown` is under way and nobody knows how far; `stopped` will not go on by itself. */
function look(task: ITask, progress: IProgress, isSnapshot: boolean): string {
  if (task.state === 'succeeded') {
    return 'complete';
  }
  if (isEnded(task) || isSnapshot || progress.state === 'error') {
    return 'stopped';
  }
  if (task.state === 'paused' || progress.state === 'paused') {
    return 'waiting';
  }
  return progress.fraction === null ? 'unknown' : 'moving';
}
