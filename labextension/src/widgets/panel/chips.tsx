/** The chips above the list: the number of unseen failed tasks, and the current filter. */

import { closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ITask } from '../../services/types/tasks';
import type { IFilter } from './filter';

interface IChipsProps {
  /** The failed tasks that the user has not seen. */
  unseen: readonly ITask[];
  filter: IFilter | null;
  onChange: (filter: IFilter | null) => void;
  trans: TranslationBundle;
}

export function Chips({ unseen, filter, onChange, trans }: IChipsProps): JSX.Element | null {
  if (unseen.length === 0 && !filter) {
    return null;
  }
  const failed = trans.__('%1 failed', unseen.length);
  const label = filter && ('tag' in filter ? filter.tag : filter.label);
  return (
    <div className="jp-PtyTasks-chips" role="group" aria-label={trans.__('Filters')}>
      {unseen.length > 0 && (
        <button
          type="button"
          data-is="failed"
          title={trans.__('Show the failed tasks that you have not seen')}
          onClick={() => onChange({ label: failed, ids: unseen.map(task => task.id) })}
        >
          {failed}
        </button>
      )}
      {label !== null && (
        <button
          type="button"
          title={trans.__('Show all tasks again')}
          aria-label={trans.__('Remove the filter %1', label)}
          onClick={() => onChange(null)}
        >
          <span>{label}</span>
          <closeIcon.react tag="span" />
        </button>
      )}
    </div>
  );
}
