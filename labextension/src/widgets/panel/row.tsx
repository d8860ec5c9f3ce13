/** One row of the list: a task, or the heading of a group. */

import {
  caretDownIcon,
  caretRightIcon,
  closeIcon,
  refreshIcon,
  stopIcon,
  usersIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Clock } from '../../services/clock';
import { exitLabel, when } from '../../format/times';
import type { LastLines } from '../../services/rowlines';
import { progressLabel } from '../../format/measures';
import { useSignalValue, useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import { commandLine, isEnded, type ITask } from '../../services/types';
import type { IHeading } from './filter';
import { ProgressBar } from '../progress';
import { StateIcon } from '../state';

/** What the buttons do; a button that would do nothing is not there. */
export interface IRowActions {
  stop?: (id: string) => void;
  restart?: (id: string) => void;
  remove?: (id: string) => void;
}

/** What all rows have in common. */
export interface IRowContext {
  clock: Clock;
  lastLines: LastLines;
  trans: TranslationBundle;
  actions: WatchedValue<IRowActions>;
}

/** Where an element stands, for the virtual list and for assistive technologies. */
export interface IPlace {
  id: string;
  index: number;
  offset: number;
  isActive: boolean;
  measure: (node: HTMLElement | null) => void;
}

interface ITaskRowProps extends IRowContext, IPlace {
  task: ITask;
  level: number;
  isSelected: boolean;
}

/** Drawn anew only when something about it has changed, and not because the list is scrolled. */
export const TaskRow = React.memo(function TaskRow(props: ITaskRowProps): JSX.Element {
  const { task, level, isSelected, clock, lastLines, trans, actions } = props;
  const context = { clock, lastLines, trans, actions };
  const exit = task.exit?.code === 0 ? '' : exitLabel(task, trans);
  const command = commandLine(task);
  return (
    <div
      {...placed(props, 'jp-PtyTasks-row')}
      data-task={task.id}
      aria-level={level}
      aria-selected={isSelected}
    >
      <div role="gridcell" className="jp-PtyTasks-cell">
        <div className="jp-PtyTasks-line">
          <StateIcon state={task.state} trans={trans} />
          <span className="jp-PtyTasks-name" title={task.name}>
            {task.name}
          </span>
          {exit && (
            <span className="jp-PtyTasks-exit" data-state={task.state}>
              {exit}
            </span>
          )}
          {task.viewers > 0 && <Viewers count={task.viewers} trans={trans} />}
          <When task={task} {...context} />
        </div>
        <div className="jp-PtyTasks-doing">
          <span className="jp-PtyTasks-command" title={command}>
            {command}
          </span>
          <HowFar task={task} {...context} />
        </div>
        <LastLine task={task} {...context} />
      </div>
      <Actions task={task} {...context} />
    </div>
  );
});

interface IHeadingRowProps extends IPlace {
  heading: IHeading;
  trans: TranslationBundle;
}

export function HeadingRow(props: IHeadingRowProps): JSX.Element {
  const { heading, trans } = props;
  const Caret = heading.isCollapsed ? caretRightIcon.react : caretDownIcon.react;
  return (
    <div
      {...placed(props, 'jp-PtyTasks-heading')}
      aria-level={1}
      aria-expanded={!heading.isCollapsed}
    >
      <div role="gridcell" aria-colspan={2} className="jp-PtyTasks-line">
        <Caret tag="span" className="jp-PtyTasks-caret" />
        <span className="jp-PtyTasks-name" title={heading.label}>
          {heading.label}
        </span>
        <span
          className="jp-PtyTasks-count"
          aria-label={trans._n('%1 task', '%1 tasks', heading.count)}
          role="img"
        >
          {heading.count}
        </span>
      </div>
    </div>
  );
}

function placed(place: IPlace, className: string) {
  return {
    id: place.id,
    ref: place.measure,
    role: 'row',
    className: place.isActive ? `${className} jp-mod-active` : className,
    style: { transform: `translateY(${place.offset}px)` },
    'data-index': place.index,
    'aria-rowindex': place.index + 1
  };
}

interface IPartProps extends IRowContext {
  task: ITask;
}

/** Of a task that has all of it behind it, its state tells. The clock draws it anew, as what is left changes with time. */
function HowFar({ task, clock, trans }: IPartProps): JSX.Element | null {
  const { progress } = task;
  const label = useSignalValue(clock.ticked, () =>
    progress ? progressLabel(task, progress, clock.now, trans) : ''
  );
  if (!progress || task.state === 'succeeded') {
    return null;
  }
  return (
    <>
      <span className="jp-PtyTasks-howFar" title={progress.text}>
        {label}
      </span>
      <ProgressBar task={task} progress={progress} label={label} trans={trans} />
    </>
  );
}

/** So is this. */
function When({ task, clock, trans }: IPartProps): JSX.Element {
  const text = useSignalValue(clock.ticked, () => when(task, clock.now, trans));
  return (
    <span className="jp-PtyTasks-when" title={text}>
      {text}
    </span>
  );
}

/** What the task wrote last; where it could not write anything, the reason. */
function LastLine({ task, lastLines }: IPartProps): JSX.Element {
  const line = useSignalValue(lastLines.changed, () => lastLines.get(task.id));
  const text = line || task.state_message;
  return (
    <div className="jp-PtyTasks-lastLine" title={text}>
      {text}
    </div>
  );
}

function Viewers({ count, trans }: { count: number; trans: TranslationBundle }): JSX.Element {
  const label = trans._n('%1 viewer', '%1 viewers', count);
  return (
    <span className="jp-PtyTasks-viewers" role="img" aria-label={label} title={label}>
      <usersIcon.react tag="span" />
      {count}
    </span>
  );
}

/** Short cuts for the mouse. The keyboard has its own ways to the same commands, so that these are no further stops for it. */
function Actions({ task, trans, actions }: IPartProps): JSX.Element {
  const { stop, restart, remove } = useWatchedValue(actions);
  const isStopping = task.state === 'stopping';
  const button = (icon: LabIcon, label: string, act: (id: string) => void) => (
    <button
      type="button"
      tabIndex={-1}
      className="jp-PtyTasks-action"
      title={label}
      aria-label={trans.__('%1 %2', label, task.name)}
      onClick={event => {
        event.stopPropagation();
        act(task.id);
      }}
    >
      <icon.react tag="span" />
    </button>
  );
  return (
    <div role="gridcell" className="jp-PtyTasks-actions">
      {stop && !isEnded(task) && !isStopping && button(stopIcon, trans.__('Stop'), stop)}
      {restart && !isStopping && button(refreshIcon, trans.__('Restart'), restart)}
      {remove && isEnded(task) && button(closeIcon, trans.__('Delete'), remove)}
    </div>
  );
}
