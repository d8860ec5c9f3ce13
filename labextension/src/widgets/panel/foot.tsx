/** The footer of the panel: the disk space of all output. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { storageLabel } from '../../format/measures';
import type { StorageWatch } from '../../services/storage';
import { useSignalValue } from '../../services/watchedvalue';

export interface IFootProps {
  storage: StorageWatch;
  trans: TranslationBundle;
}

/** Empty if the server does not report it. */
export function Foot({ storage, trans }: IFootProps): JSX.Element | null {
  const value = useSignalValue(storage.changed, () => storage.value);
  if (!value) {
    return null;
  }
  const title =
    value.limit === null
      ? trans.__('Disk space used by the output of all tasks')
      : trans.__(
          'Disk space used by the output of all tasks. Above the limit, the oldest finished tasks are deleted with their output.'
        );
  return (
    <div className="jp-PtyTasks-foot" title={title}>
      {trans.__('Storage: %1', storageLabel(value.used, value.limit, trans))}
    </div>
  );
}
