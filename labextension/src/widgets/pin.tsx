/** The sign of a task that is kept until it is deleted. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { pinIcon } from '../icons';

export function Pin({ trans }: { trans: TranslationBundle }): JSX.Element {
  const label = trans.__('Pinned: kept until you delete it');
  return (
    <span className="jp-PtyTasks-pin" role="img" aria-label={label} title={label}>
      <pinIcon.react tag={null} width="12px" height="12px" />
    </span>
  );
}
