/** A badge for a task with warnings. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { warningLabel, warningText } from '../format/warnings';
import { serverNow } from '../services/clock';
import type { ITask } from '../services/types/tasks';

interface IWarningBadgeProps {
  task: Pick<ITask, 'warnings'>;
  trans: TranslationBundle;
}

/** The badge, with the warnings as its tooltip; nothing if there are none. */
export function WarningBadge({ task, trans }: IWarningBadgeProps): JSX.Element | null {
  const label = warningLabel(task, trans);
  if (!label) {
    return null;
  }
  return (
    <span className="jp-PtyTasks-warning" title={warningText(task, serverNow())}>
      {label}
    </span>
  );
}
