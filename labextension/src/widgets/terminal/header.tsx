/** The header above a task's terminal: state, viewers, resource usage and buttons. */

import type { TranslationBundle } from '@jupyterlab/translation';
import {
  caretDownIcon,
  caretRightIcon,
  infoIcon,
  ReactWidget,
  refreshIcon,
  stopIcon,
  ToolbarButtonComponent,
  UseSignal
} from '@jupyterlab/ui-components';
import React from 'react';

import { metricsIcon } from '../../icons';
import type { TaskConnection } from '../../terminal/connection';
import { TaskFollower } from '../../services/follower';
import { trendOf } from '../../format/curves';
import { outOfReach } from '../../format/places';
import { waitLabel } from '../../format/queue';
import { duration, elapsed, stateLabel } from '../../format/times';
import { progressLabel } from '../../format/measures';
import { isActive, isEnded, isPending } from '../../services/types/states';
import type { ITask } from '../../services/types/tasks';
import { useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import type { ITaskModel } from '../../tokens';
import { useNow } from '../hooks';
import { AnswerField } from '../answer';
import { PlaceBadge } from '../place';
import { ProgressBar } from '../progress';
import { QuestionBadge } from '../question';
import { StateIcon } from '../state';
import { Trend } from '../trend';
import { WatchedUsage } from '../usage';
import { WarningBadge } from '../warning';

/** The actions of the header's buttons; without an action there is no button. */
export interface IHeaderActions {
  showMetrics?: () => void;
  stop?: () => void;
  restart?: () => void;
  details?: () => void;
}

/** Whether the summary of the task is shown below the header, and the id of its element. */
export interface ISummaryState {
  id: string;
  isExpanded: WatchedValue<boolean>;
}

export interface IHeaderProps {
  task: ITask;
  /** Whether this viewer sends no input. */
  isReadonly: boolean;
  /** Whether another viewer sets the size of the terminal. */
  isFollowing: boolean;
  actions: IHeaderActions;
  summary: ISummaryState;
  /** Takes answers to the program's questions; null if this viewer sends no input. */
  answers: Pick<ITaskModel, 'api' | 'refresh'> | null;
  /** Called when an answer was sent. */
  onAnswered?: () => void;
  /** Provides the usage history. */
  follower: TaskFollower;
  trans: TranslationBundle;
}

/** Return the most recent data about a task: from the connection while it is connected, otherwise from the model. */
export function newest(model: ITaskModel, connection: TaskConnection): ITask | undefined {
  const known = model.get(connection.name);
  return connection.link === 'connected' ? (connection.task ?? known) : (known ?? connection.task);
}

export function Header(props: IHeaderProps): JSX.Element {
  const { task, trans } = props;
  const now = useNow(!isEnded(task));
  const isExpanded = useWatchedValue(props.summary.isExpanded);
  const Caret = isExpanded ? caretDownIcon.react : caretRightIcon.react;
  const expand = trans.__('Command, working directory and more');
  const wait = waitLabel(task, now, trans) || outOfReach(task, trans);
  const howFar = task.progress ? progressLabel(task, task.progress, now, trans) : '';
  return (
    <>
      <button
        type="button"
        className="jp-PtyTasks-action"
        aria-expanded={isExpanded}
        aria-controls={props.summary.id}
        title={expand}
        aria-label={expand}
        onClick={() => {
          props.summary.isExpanded.value = !isExpanded;
        }}
      >
        <Caret tag="span" />
      </button>
      <StateIcon state={task.state} trans={trans} />
      <span className="jp-PtyTasks-header-state">{stateLabel(task.state, trans)}</span>
      <PlaceBadge task={task} trans={trans} />
      {task.started && (
        <span className="jp-PtyTasks-header-fact jp-mod-time" title={trans.__('Run time')}>
          {duration(elapsed(task, now))}
        </span>
      )}
      {wait && (
        <span className="jp-PtyTasks-header-fact" title={wait}>
          {wait}
        </span>
      )}
      <QuestionBadge task={task} trans={trans} />
      <WarningBadge task={task} trans={trans} />
      {props.answers && (
        <AnswerField task={task} model={props.answers} onSent={props.onAnswered} trans={trans} />
      )}
      {task.progress && task.state !== 'succeeded' && (
        <span className="jp-PtyTasks-header-progress">
          <ProgressBar task={task} progress={task.progress} label={howFar} trans={trans} />
          <span className="jp-PtyTasks-header-fact">{howFar}</span>
        </span>
      )}
      <Trend task={task} isNamed trans={trans} />
      {props.isReadonly && (
        <span
          className="jp-PtyTasks-header-badge"
          title={trans.__('The task does not receive your input')}
        >
          {trans.__('Read-only')}
        </span>
      )}
      {isActive(task) && task.viewers > 1 && (
        <span className="jp-PtyTasks-header-fact">
          {trans._n('%1 viewer', '%1 viewers', task.viewers)}
        </span>
      )}
      {props.isFollowing && (
        <span
          className="jp-PtyTasks-header-fact"
          title={trans.__('The terminal has the size of the viewer who typed last')}
        >
          {trans.__('Size follows another viewer')}
        </span>
      )}
      <span className="jp-PtyTasks-header-spacer" />
      <WatchedUsage task={task} follower={props.follower} trans={trans} />
      {props.actions.showMetrics && trendOf(task.metrics) && (
        <ToolbarButtonComponent
          icon={metricsIcon}
          tooltip={trans.__('Show the metrics of %1', task.name)}
          onClick={props.actions.showMetrics}
        />
      )}
      {!isEnded(task) && props.actions.stop && (
        <ToolbarButtonComponent
          icon={stopIcon}
          tooltip={trans.__('Stop %1', task.name)}
          enabled={task.state !== 'stopping'}
          onClick={props.actions.stop}
        />
      )}
      {!isPending(task) && props.actions.restart && (
        <ToolbarButtonComponent
          icon={refreshIcon}
          tooltip={trans.__('Restart %1', task.name)}
          onClick={props.actions.restart}
        />
      )}
      {props.actions.details && (
        <ToolbarButtonComponent
          icon={infoIcon}
          tooltip={trans.__('Details of %1', task.name)}
          onClick={props.actions.details}
        />
      )}
    </>
  );
}

/** The header as a Lumino widget. */
export class TaskHeader extends ReactWidget {
  constructor(private readonly _options: TaskHeader.IOptions) {
    super();
    this.addClass('jp-PtyTasks-header');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', _options.trans.__('Task'));
    const { model, connection } = _options;
    this._follower = new TaskFollower({ id: connection.name, model, lines: 0 });
  }

  override dispose(): void {
    this._follower.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element {
    const { model, connection } = this._options;
    return (
      <UseSignal signal={model.changed}>
        {() => <UseSignal signal={connection.changed}>{() => this._renderTask()}</UseSignal>}
      </UseSignal>
    );
  }

  private _renderTask(): JSX.Element | null {
    const { model, connection, actions, summary, onAnswered, trans } = this._options;
    const task = newest(model, connection);
    if (!task) {
      return null;
    }
    const known = model.get(task.id);
    // The connection has the current state, the model has the current progress, metrics, usage and reason to wait.
    const measured = known?.attempt === task.attempt ? known : task;
    const { progress, metrics, warnings, usage, queue } = measured;
    const last = [task.last_activity, measured.last_activity].sort()[1];
    return (
      <Header
        task={{
          ...task,
          progress,
          metrics,
          warnings,
          usage,
          queue: task.queue && queue,
          last_activity: last
        }}
        isReadonly={connection.isReadonly}
        isFollowing={connection.isFollowing}
        actions={connection.link === 'gone' ? {} : actions}
        summary={summary}
        answers={connection.link === 'connected' && !connection.isReadonly ? model : null}
        onAnswered={onAnswered}
        follower={this._follower}
        trans={trans}
      />
    );
  }

  private readonly _follower: TaskFollower;
}

export namespace TaskHeader {
  export interface IOptions {
    model: ITaskModel;
    connection: TaskConnection;
    actions: IHeaderActions;
    summary: ISummaryState;
    /** Called when a question was answered in the header. */
    onAnswered: () => void;
    trans: TranslationBundle;
  }
}
