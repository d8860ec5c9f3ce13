/** The state of a task as an icon. Its shape and label convey as much as the color. */

import {
  checkIcon,
  circleEmptyIcon,
  closeIcon,
  errorIcon,
  historyIcon,
  lockIcon,
  notTrustedIcon,
  pauseIcon,
  runIcon,
  stopIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { stateLabel } from '../format/times';
import type { State } from '../services/types/states';

const ICONS: Readonly<Record<State, LabIcon>> = {
  held: lockIcon,
  queued: circleEmptyIcon,
  starting: circleEmptyIcon,
  running: runIcon,
  paused: pauseIcon,
  stopping: stopIcon,
  succeeded: checkIcon,
  failed: errorIcon,
  cancelled: closeIcon,
  timed_out: historyIcon,
  lost: notTrustedIcon
};

/** Return the icon of a state. */
export function stateIcon(state: State): LabIcon {
  return ICONS[state];
}

interface IStateIconProps {
  state: State;
  trans: TranslationBundle;
}

/** Memoized: an icon creates its elements again whenever it is rendered. */
export const StateIcon = React.memo(function StateIcon(props: IStateIconProps): JSX.Element {
  const { state, trans } = props;
  const label = stateLabel(state, trans);
  const Icon = stateIcon(state).react;
  return (
    <span
      className="jp-PtyTasks-state"
      data-state={state}
      role="img"
      aria-label={label}
      title={label}
    >
      <Icon tag="span" />
    </span>
  );
});
