/** The icon of a pinned task. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import React from 'react';

import pinSvg from '../../icons/pin.svg';

/** Not in icons.ts, which is loaded at the start. */
const pinIcon = new LabIcon({ name: 'jupyter-ptytasks:pin', svgstr: pinSvg });

export function Pin({ trans }: { trans: TranslationBundle }): JSX.Element {
  const label = trans.__('Pinned: kept until you delete it');
  return (
    <span className="jp-PtyTasks-pin" role="img" aria-label={label} title={label}>
      <pinIcon.react tag={null} width="12px" height="12px" />
    </span>
  );
}
