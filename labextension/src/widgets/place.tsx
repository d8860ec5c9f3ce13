/** A badge for a task that runs on another machine. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { placeName } from '../format/places';
import { LOCAL } from '../services/types/places';
import type { ITask } from '../services/types/tasks';

interface IPlaceBadgeProps {
  task: ITask;
  trans: TranslationBundle;
}

/** The badge; its tooltip names the node if known. Nothing for tasks on the server's machine. */
export function PlaceBadge({ task, trans }: IPlaceBadgeProps): JSX.Element | null {
  if (task.place === LOCAL) {
    return null;
  }
  const name = placeName(task.place, trans);
  const node = task.job?.node;
  return (
    <span
      className="jp-PtyTasks-place"
      title={node ? trans.__('Place: %1, node %2', name, node) : trans.__('Place: %1', name)}
    >
      {name}
    </span>
  );
}
