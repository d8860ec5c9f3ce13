/** A row of the list: a task, or the heading of tasks in one state. The heading of a group is in group.tsx. */

import {
  caretDownIcon,
  caretRightIcon,
  closeIcon,
  refreshIcon,
  runIcon,
  stopIcon,
  usersIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Clock } from '../../services/clock';
import { outOfReach } from '../../format/places';
import { placeLabel, waitLabel } from '../../format/queue';
import { questionLabel } from '../../format/question';
import { exitLabel, stateLabel, when } from '../../format/times';
import { isExplained, reasonOf } from '../../format/why';
import type { RowLines } from '../../services/rowlines';
import { progressLabel } from '../../format/measures';
import { useSignalValue, useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import { LOCAL } from '../../services/types/places';
import type { IPlacing } from '../../services/types/requests';
import { isEnded, isPending, wentWrong } from '../../services/types/states';
import { commandLine, type ITask } from '../../services/types/tasks';
import type { IHeading } from './filter';
import { TaskName } from '../name';
import { PlaceBadge } from '../place';
import { ProgressBar } from '../progress';
import { QuestionBadge } from '../question';
import { StateIcon } from '../state';
import { Tags } from '../tags';
import { Trend } from '../trend';
import { WarningBadge } from '../warning';

/** The actions of the buttons; without an action there is no button. */
export interface IRowActions {
  showReason?: (id: string) => void;
  stop?: (id: string) => void;
  restart?: (id: string) => void;
  delete?: (id: string) => void;
  release?: (id: string) => void;
  move?: (ids: readonly string[], where: IPlacing) => void;
  retrySweep?: (sweep: string) => void;
  pauseGroup?: (group: string) => void;
  resumeGroup?: (group: string) => void;
  setSlots?: (group: string, slots: number | null) => void;
}

/** What all rows share. */
export interface IRowContext {
  clock: Clock;
  rowLines: RowLines;
  trans: TranslationBundle;
  actions: WatchedValue<IRowActions>;
  /** Limit the list to the tasks with a tag. */
  onTag: (tag: string) => void;
}

/** The position of a row, for the virtual list and for assistive technologies. */
export interface IPlace {
  id: string;
  index: number;
  offset: number;
  isActive: boolean;
  /** Whether it stays at the top while the rows below it scroll. */
  isStuck: boolean;
  measure: (node: HTMLElement | null) => void;
}

interface ITaskRowProps extends IRowContext, IPlace {
  task: ITask;
  label: string;
  /** Whether rows are in the order of their turns, and can be dragged to another place. */
  isInTurn: boolean;
  level: number;
  isSelected: boolean;
  /** Where rows that are dragged would be dropped. */
  drop: Drop | null;
}

export type Drop = 'before' | 'after' | 'into';

/** Memoized: scrolling does not render it again. */
export const TaskRow = React.memo(function TaskRow(props: ITaskRowProps): JSX.Element {
  const { task, label, level, isInTurn, isSelected, clock, rowLines, trans, actions, onTag } =
    props;
  const context = { clock, rowLines, trans, actions, onTag };
  const exit = task.exit?.code === 0 ? '' : exitLabel(task, trans);
  const command = commandLine(task);
  const { move } = useWatchedValue(actions);
  return (
    <div
      {...placed(props, 'jp-PtyTasks-row')}
      data-task={task.id}
      data-drop={props.drop ?? undefined}
      draggable={move && isInTurn && isPending(task)}
      aria-level={level}
      aria-selected={isSelected}
    >
      <div role="gridcell" className="jp-PtyTasks-cell">
        <div className="jp-PtyTasks-line">
          <StateIcon state={task.state} trans={trans} />
          <TaskName name={task.name} label={label} />
          <PlaceBadge task={task} trans={trans} />
          <QuestionBadge task={task} trans={trans} />
          <WarningBadge task={task} trans={trans} />
          {task.viewers > 0 && <Viewers count={task.viewers} trans={trans} />}
          <When task={task} {...context} />
        </div>
        <div className="jp-PtyTasks-doing">
          {exit && (
            <span
              className="jp-PtyTasks-exit"
              data-state={task.state}
              title={reasonOf(task) || exit}
            >
              {exit}
            </span>
          )}
          <Tags tags={task.tags} onPick={onTag} trans={trans} />
          <span className="jp-PtyTasks-command" title={command}>
            {command}
          </span>
          <Trend task={task} trans={trans} />
          <HowFar task={task} {...context} />
        </div>
        <LastLine task={task} {...context} />
      </div>
      <Actions task={task} {...context} />
    </div>
  );
});

/** The caret and the name of a heading. */
export function HeadingName({ heading }: { heading: IHeading }): JSX.Element {
  const Caret = heading.isCollapsed ? caretRightIcon.react : caretDownIcon.react;
  return (
    <>
      <Caret tag="span" className="jp-PtyTasks-caret" />
      <span className="jp-PtyTasks-name" title={heading.label}>
        {heading.label}
      </span>
    </>
  );
}

interface IHeadingRowProps extends IPlace {
  heading: IHeading;
  trans: TranslationBundle;
}

export function HeadingRow(props: IHeadingRowProps): JSX.Element {
  const { heading, trans } = props;
  return (
    <div
      {...placed(props, 'jp-PtyTasks-heading')}
      aria-level={1}
      aria-expanded={!heading.isCollapsed}
    >
      <div role="gridcell" aria-colspan={2} className="jp-PtyTasks-line">
        <HeadingName heading={heading} />
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

/** Return the properties of the element of a row. */
export function placed(place: IPlace, className: string) {
  return {
    id: place.id,
    ref: place.measure,
    role: 'row',
    className: place.isActive ? `${className} jp-mod-active` : className,
    style: place.isStuck ? undefined : { transform: `translateY(${place.offset}px)` },
    'data-stuck': place.isStuck || undefined,
    'data-index': place.index,
    'aria-rowindex': place.index + 1
  };
}

interface IPartProps extends IRowContext {
  task: ITask;
}

/** Progress, for tasks that have not succeeded. Updated by the clock, since the time left changes. */
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

/** The run time, the time since the end, or the place in the queue. Updated by the clock too. */
function When({ task, clock, trans }: IPartProps): JSX.Element {
  const text = useSignalValue(clock.ticked, () => when(task, clock.now, trans));
  const place = placeLabel(task, trans);
  const title = place ? trans.__('Number %1 in the queue', task.queue?.position ?? 0) : text;
  return (
    <span className="jp-PtyTasks-when" title={title}>
      {place || text}
    </span>
  );
}

/**
 * What a task waits for or asks, or why it failed; otherwise the last line of output, or the reason for the state. The reason of
 * a failure is a button for the mouse; for the keyboard there is a shortcut.
 */
function LastLine({ task, rowLines, clock, trans, actions }: IPartProps): JSX.Element {
  const { showReason } = useWatchedValue(actions);
  const line = useSignalValue(rowLines.changed, () => rowLines.get(task.id));
  const state = stateLabel(task.state, trans);
  const wait = useSignalValue(clock.ticked, () => waitLabel(task, clock.now, trans));
  // The reasons of other places do not name the state.
  const waits = wait && task.place !== LOCAL ? trans.__('%1: %2', state, wait) : wait;
  const reason = waits || outOfReach(task, trans) || (wentWrong(task) ? reasonOf(task) : '');
  // The exit code already says what the message about the end says.
  const rest = isEnded(task) ? reasonOf(task) : task.state_message;
  const text = reason || questionLabel(task, trans) || line || rest;
  const isLink = showReason && reason !== '' && isExplained(task);
  return (
    <div className="jp-PtyTasks-lastLine" data-is={reason ? 'reason' : undefined} title={text}>
      {isLink ? (
        <button
          type="button"
          tabIndex={-1}
          className="jp-PtyTasks-why"
          title={trans.__('%1\nClick to show this line in the terminal', text)}
          onClick={event => {
            // With a modifier, the row is selected.
            if (!event.shiftKey && !event.ctrlKey && !event.metaKey) {
              event.stopPropagation();
              showReason(task.id);
            }
          }}
        >
          {text}
        </button>
      ) : (
        text
      )}
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

/** Buttons for the mouse. They are not in the tab order: keyboard users run the same commands otherwise. */
function Actions({ task, trans, actions }: IPartProps): JSX.Element {
  const { stop, restart, delete: onDelete, release } = useWatchedValue(actions);
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
      {release && task.state === 'held' && button(runIcon, trans.__('Release'), release)}
      {stop && !isEnded(task) && !isStopping && button(stopIcon, trans.__('Stop'), stop)}
      {restart &&
        !isStopping &&
        !isPending(task) &&
        button(refreshIcon, trans.__('Restart'), restart)}
      {onDelete && isEnded(task) && button(closeIcon, trans.__('Delete'), onDelete)}
    </div>
  );
}
