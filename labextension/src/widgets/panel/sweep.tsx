/** The heading of a sweep: its progress, and a button that retries failed tasks. */

import { refreshIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { sweepLabel } from '../../format/queue';
import type { ISweepStanding } from '../../services/sweeps';
import { useWatchedValue } from '../../services/watchedvalue';
import type { IHeading } from './filter';
import { HeadingName, placed, type IPlace, type IRowContext } from './row';

interface ISweepRowProps extends IRowContext, IPlace {
  heading: IHeading;
  sweep: ISweepStanding;
}

export function SweepRow(props: ISweepRowProps): JSX.Element {
  const { heading, sweep, isActive, actions, trans } = props;
  const { retrySweep } = useWatchedValue(actions);
  const text = sweepLabel(sweep, trans);
  const retry = trans.__('Retry Failed (%1)', sweep.failed);
  return (
    <div
      {...placed(props, 'jp-PtyTasks-heading jp-PtyTasks-sweep')}
      data-sweep={sweep.id}
      aria-level={1}
      aria-expanded={!heading.isCollapsed}
    >
      <div role="gridcell">
        <div className="jp-PtyTasks-line">
          <HeadingName heading={heading} />
        </div>
        <div className="jp-PtyTasks-standing" title={text}>
          {text}
        </div>
      </div>
      <div
        role="gridcell"
        className="jp-PtyTasks-controlsOfGroup"
        onClick={event => event.stopPropagation()}
        onKeyDown={event => event.stopPropagation()}
      >
        {retrySweep && sweep.failed > 0 && (
          <button
            type="button"
            tabIndex={isActive ? 0 : -1}
            className="jp-PtyTasks-action"
            title={retry}
            aria-label={trans.__('%1 %2', retry, sweep.name)}
            onClick={() => retrySweep(sweep.id)}
          >
            <refreshIcon.react tag="span" />
          </button>
        )}
      </div>
    </div>
  );
}
