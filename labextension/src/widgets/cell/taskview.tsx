/** A task in a cell: state, progress, last lines, resource usage and buttons. */

import { renderText } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import {
  ellipsesIcon,
  refreshIcon,
  stopIcon,
  terminalIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import React, { useEffect, useRef } from 'react';

import '../../../style/cell.css';

import type { TaskError } from '../../services/api';
import { TaskFollower } from '../../services/follower';
import { outOfReach } from '../../format/places';
import { waitLabel } from '../../format/queue';
import { serverNow } from '../../services/clock';
import { isExplained, reasonOf } from '../../format/why';
import { duration, elapsed, exitLabel, stateLabel } from '../../format/times';
import { progressLabel } from '../../format/measures';
import { lastOf } from '../../format/ansilines';
import { useSignalValue } from '../../services/watchedvalue';
import { isActive, isEnded } from '../../services/types/states';
import { commandLine, type IBundle, type ITask } from '../../services/types/tasks';
import type { ITaskModel } from '../../tokens';
import { useNow, useIsVisible } from '../hooks';
import { AnswerField } from '../answer';
import { PlaceBadge } from '../place';
import { ProgressBar } from '../progress';
import { QuestionBadge } from '../question';
import { StateIcon } from '../state';
import { Trend } from '../trend';
import { Usage, useFollowing } from '../usage';
import { WarningBadge } from '../warning';

/** The number of last lines: as many as a notebook stores. */
const LINES = 10;

/** Return a follower for the task of a view; the caller disposes of it. */
export function followerOf(id: string, model: ITaskModel): TaskFollower {
  return new TaskFollower({ id, model, lines: LINES });
}

/** The actions of the buttons; without an action there is no button. */
export interface IViewActions {
  open?: (id: string) => void;
  showReason?: (id: string) => void;
  stop?: (id: string) => void;
  restart?: (id: string) => void;
  /** Open a menu with other actions at a position of the window. */
  menu?: (id: string, x: number, y: number) => void;
}

export interface ITaskViewProps {
  /** The last known state, in case the server has none. */
  bundle: IBundle;
  follower: TaskFollower;
  model: ITaskModel;
  actions: IViewActions;
  sanitizer: IRenderMime.ISanitizer;
  translator: ITranslator;
}

export function TaskView(props: ITaskViewProps): JSX.Element {
  const { bundle, follower, model, actions, sanitizer, translator } = props;
  const trans = translator.load('jupyter_ptytasks');
  const ref = useRef<HTMLDivElement>(null);
  const isSeen = useIsVisible(ref);
  useFollowing(follower, isSeen);
  const known = useSignalValue(model.changed, () => follower.task);
  const error = useSignalValue(model.changed, () => model.error);
  const isGone = useSignalValue(follower.changed, () => follower.isGone);
  const tail = useSignalValue(follower.changed, () => follower.tail);
  const task = known ?? bundle.task;
  // A task that is not in the list may be new: it is not a snapshot for that reason alone.
  const isSnapshot = isGone || error !== null;
  const wait = waitLabel(task, serverNow(), trans) || outOfReach(task, trans);
  const why = reasonOf(task) || (isSnapshot ? '' : wait);
  return (
    <div
      ref={ref}
      className="jp-PtyTasks-view"
      role="group"
      aria-label={trans.__('Task %1', task.name)}
      data-snapshot={isSnapshot || undefined}
    >
      <div className="jp-PtyTasks-view-head">
        <StateIcon state={task.state} trans={trans} />
        <span className="jp-PtyTasks-view-name" title={task.name}>
          {task.name}
        </span>
        <PlaceBadge task={task} trans={trans} />
        {!isSnapshot && <QuestionBadge task={task} trans={trans} />}
        <WarningBadge task={task} trans={trans} />
        <Facts
          task={task}
          isSnapshot={isSnapshot}
          asOf={known ? '' : bundle.as_of}
          isSeen={isSeen}
          trans={trans}
        />
        {known && !isSnapshot && <Buttons task={task} actions={actions} trans={trans} />}
      </div>
      <div className="jp-PtyTasks-view-command" title={commandLine(task)}>
        {commandLine(task)}
      </div>
      {why && (
        <div className="jp-PtyTasks-view-why" data-state={task.state}>
          {known && !isSnapshot && isExplained(task) && actions.showReason ? (
            <button
              type="button"
              className="jp-PtyTasks-why"
              title={trans.__('Show this line in the terminal')}
              onClick={() => actions.showReason?.(task.id)}
              onKeyDown={keepActivation}
            >
              {why}
            </button>
          ) : (
            why
          )}
        </div>
      )}
      <HowFar task={task} isSnapshot={isSnapshot} isSeen={isSeen} trans={trans} />
      <Tail
        source={(isGone ? undefined : tail) ?? lastOf(bundle.tail, LINES)}
        sanitizer={sanitizer}
        translator={translator}
      />
      {known && !isSnapshot && (
        <AnswerField task={task} model={model} open={actions.open} trans={trans} />
      )}
      <Trend task={task} isNamed trans={trans} />
      <Usage task={task} follower={follower} trans={trans} />
      <Note text={noteOf(isGone, error, trans)} />
    </div>
  );
}

/** Return why the state may be outdated; empty if it is current. */
function noteOf(isGone: boolean, error: TaskError | null, trans: TranslationBundle): string {
  if (error?.isLasting) {
    return trans.__(
      'Background tasks are not available on this server. Showing the last known state.'
    );
  }
  if (error) {
    return trans.__('The server cannot be reached. Showing the last known state.');
  }
  return isGone
    ? trans.__('This task no longer exists on the server. Showing the last known state.')
    : '';
}

/** Always in the document, as a live region for screen readers. */
function Note({ text }: { text: string }): JSX.Element {
  return (
    <div className="jp-PtyTasks-view-note" role="status">
      {text}
    </div>
  );
}

interface IFactsProps {
  task: ITask;
  isSnapshot: boolean;
  isSeen: boolean;
  trans: TranslationBundle;
}

function Facts({
  task,
  isSnapshot,
  asOf,
  isSeen,
  trans
}: IFactsProps & { asOf: string }): JSX.Element {
  const isGoingOn = isActive(task) && !isSnapshot;
  const now = useNow(isGoingOn && isSeen);
  const label = stateLabel(task.state, trans);
  const facts = [!isEnded(task) && isSnapshot ? trans.__('Last seen: %1', label) : label];
  const exit = exitLabel(task, trans);
  // Success implies exit code 0.
  if (exit && task.exit?.code !== 0) {
    facts.push(exit);
  }
  // The run time after the last known state is unknown.
  if (task.started && (task.ended || isGoingOn)) {
    facts.push(duration(elapsed(task, now)));
  }
  if (isSnapshot && !isEnded(task) && asOf) {
    facts.push(trans.__('as of %1', new Date(asOf).toLocaleString()));
  }
  if (task.ended) {
    facts.push(trans.__('ended %1', new Date(task.ended).toLocaleString()));
  }
  return <span className="jp-PtyTasks-view-facts">{facts.join(' · ')}</span>;
}

function HowFar({ task, isSnapshot, isSeen, trans }: IFactsProps): JSX.Element | null {
  const { progress } = task;
  const now = useNow(isActive(task) && !isSnapshot && isSeen && progress !== null);
  if (!progress) {
    return null;
  }
  const label = progressLabel(task, progress, now, trans, isSnapshot);
  return (
    <div className="jp-PtyTasks-view-progress">
      <ProgressBar
        task={task}
        progress={progress}
        label={label}
        isSnapshot={isSnapshot}
        trans={trans}
      />
      <span>{label}</span>
      <span className="jp-PtyTasks-view-doing">{progress.text}</span>
    </div>
  );
}

/** Keep keys that activate a button from the notebook, which handles them, too. */
function keepActivation(event: React.KeyboardEvent): void {
  if (event.key === 'Enter' || event.key === ' ') {
    event.stopPropagation();
  }
}

interface IButtonsProps {
  task: ITask;
  actions: IViewActions;
  trans: TranslationBundle;
}

function Buttons({ task, actions, trans }: IButtonsProps): JSX.Element {
  const { open, stop, restart, menu } = actions;
  const more = trans.__('More actions for %1', task.name);
  const isStopping = task.state === 'stopping';
  const button = (icon: LabIcon, label: string, act: (id: string) => void) => (
    <button
      type="button"
      className="jp-PtyTasks-button"
      aria-label={trans.__('%1 %2', label, task.name)}
      onClick={() => act(task.id)}
      onKeyDown={keepActivation}
    >
      <icon.react tag="span" />
      <span>{label}</span>
    </button>
  );
  return (
    <span className="jp-PtyTasks-view-buttons">
      {open && button(terminalIcon, trans.__('Open'), open)}
      {stop && !isEnded(task) && !isStopping && button(stopIcon, trans.__('Stop'), stop)}
      {restart && !isStopping && button(refreshIcon, trans.__('Restart'), restart)}
      {menu && (
        <button
          type="button"
          className="jp-PtyTasks-button"
          title={more}
          aria-label={more}
          aria-haspopup="menu"
          onClick={event => {
            const { left, bottom } = event.currentTarget.getBoundingClientRect();
            menu(task.id, left, bottom);
          }}
          onKeyDown={keepActivation}
        >
          <ellipsesIcon.react tag="span" />
        </button>
      )}
    </span>
  );
}

interface ITailProps {
  source: string;
  sanitizer: IRenderMime.ISanitizer;
  translator: ITranslator;
}

/** Rendered like the output of cells. It can be focused, so that long lines can be scrolled by keyboard. */
function Tail({ source, sanitizer, translator }: ITailProps): JSX.Element | null {
  const ref = useRef<HTMLDivElement>(null);
  const text = source.trimEnd();
  useEffect(() => {
    const host = document.createElement('div');
    void renderText({ host, source: text, sanitizer, translator });
    ref.current?.replaceChildren(host);
  }, [text, sanitizer, translator]);
  if (!text) {
    return null;
  }
  return (
    <div
      ref={ref}
      className="jp-PtyTasks-tail jp-RenderedText"
      tabIndex={0}
      role="group"
      aria-label={translator.load('jupyter_ptytasks').__('Last lines of output')}
    />
  );
}
