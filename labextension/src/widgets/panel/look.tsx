/** The toolbar controls for the look of the list: the order of ended tasks, and the height of rows. */

import { filterListIcon, listIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import { ORDERS, type IView, type Order } from './filter';

interface ILookProps {
  view: WatchedValue<IView>;
  trans: TranslationBundle;
}

export function Look({ view, trans }: ILookProps): JSX.Element {
  const looked = useWatchedValue(view);
  const order = orderLabel(looked.order, trans);
  return (
    <>
      <label
        className="jp-PtyTasks-action jp-PtyTasks-order"
        title={trans.__('Order of ended tasks: %1', order)}
      >
        <filterListIcon.react tag="span" />
        <select
          aria-label={trans.__('Order of ended tasks')}
          value={looked.order}
          onChange={event => {
            view.value = { ...looked, order: event.target.value as Order };
          }}
        >
          {ORDERS.map(value => (
            <option key={value} value={value}>
              {orderLabel(value, trans)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        className="jp-PtyTasks-action"
        aria-pressed={looked.isCompact}
        title={trans.__('One line per task')}
        aria-label={trans.__('One line per task')}
        onClick={() => {
          view.value = { ...looked, isCompact: !looked.isCompact };
        }}
      >
        <listIcon.react tag="span" />
      </button>
    </>
  );
}

function orderLabel(order: Order, trans: TranslationBundle): string {
  switch (order) {
    case 'created':
      return trans.__('Newest first');
    case 'ended':
      return trans.__('Most recently ended first');
    case 'duration':
      return trans.__('Longest first');
    case 'name':
      return trans.__('By name');
  }
}
