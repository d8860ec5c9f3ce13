/** The dialog that shows the differences between two tasks. */

import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import '../../../style/details.css';

import type { IDifference } from '../../services/about';
import { Difference } from '../details/difference';

export interface IDifferencesOptions {
  /** The name of the newer task. */
  name: string;
  /** Its differences from the older one. */
  difference: IDifference;
  trans: TranslationBundle;
}

/** Show the dialog, and resolve when it is closed. */
export async function showDifferences(options: IDifferencesOptions): Promise<void> {
  const { name, difference, trans } = options;
  const body = ReactWidget.create(<Difference difference={difference} trans={trans} />);
  body.addClass('jp-PtyTasks-differences');
  await showDialog({
    title: trans.__('Differences of %1', name),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
