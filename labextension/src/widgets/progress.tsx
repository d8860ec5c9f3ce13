/** The progress bar of a task. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { hasBar, percent } from '../format/measures';
import type { IProgress } from '../services/types/measured';
import { isEnded } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

export interface IProgressProps {
  task: ITask;
  progress: IProgress;
  /** The progress as text. */
  label: string;
  /** Whether this is the last known state, not the current one. */
  isSnapshot?: boolean;
  trans: TranslationBundle;
}

/** Animated only while the task runs. */
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

/** Return the look of the bar. `unknown` is indeterminate; `stopped` will not continue by itself. */
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
