/** The thin line above a task's terminal: how the task is doing, who else looks on, and what can be done about it. */

import type { TranslationBundle } from '@jupyterlab/translation';
import {
  ReactWidget,
  refreshIcon,
  stopIcon,
  ToolbarButtonComponent,
  UseSignal
} from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import type { TaskConnection } from '../connection';
import { duration, elapsed, exitLabel, stateLabel } from '../format';
import { isLive, type ITask } from '../task';
import type { ITaskModel } from '../tokens';
import { StateIcon } from './state';

const SECOND = 1000;

/** What the header's buttons do; a button that would do nothing is not there. */
export interface IHeaderActions {
  stop?: () => void;
  restart?: () => void;
}

export interface IHeaderProps {
  task: ITask;
  /** Only looking on. */
  isReadonly: boolean;
  /** Another viewer gives the task's terminal its size. */
  isFollowing: boolean;
  actions: IHeaderActions;
  trans: TranslationBundle;
}

/** The task as last heard: by the connection while there is one, else by the model. */
export function newest(model: ITaskModel, connection: TaskConnection): ITask | undefined {
  const known = model.get(connection.name);
  return connection.link === 'connected' ? (connection.task ?? known) : (known ?? connection.task);
}

export function Header(props: IHeaderProps): JSX.Element {
  const { task, trans } = props;
  const live = isLive(task);
  const now = useNow(live);
  const ended = exitLabel(task, trans);
  return (
    <>
      <StateIcon state={task.state} trans={trans} />
      <span className="jp-PtyTasks-header-state">{stateLabel(task.state, trans)}</span>
      {task.started && (
        <span className="jp-PtyTasks-header-fact" title={trans.__('How long it has run')}>
          {duration(elapsed(task, now))}
        </span>
      )}
      {ended && <span className="jp-PtyTasks-header-fact">{ended}</span>}
      {props.isReadonly && (
        <span
          className="jp-PtyTasks-header-badge"
          title={trans.__('What you type does not reach the task')}
        >
          {trans.__('Read-only')}
        </span>
      )}
      {live && task.viewers > 1 && (
        <span className="jp-PtyTasks-header-fact">
          {trans._n('%1 viewer', '%1 viewers', task.viewers)}
        </span>
      )}
      {props.isFollowing && (
        <span
          className="jp-PtyTasks-header-fact"
          title={trans.__('Whoever typed last gives the terminal its size')}
        >
          {trans.__('Size follows another viewer')}
        </span>
      )}
      <span className="jp-PtyTasks-header-spacer" />
      {live && props.actions.stop && (
        <ToolbarButtonComponent
          icon={stopIcon}
          tooltip={trans.__('Stop %1', task.name)}
          enabled={task.state !== 'stopping'}
          onClick={props.actions.stop}
        />
      )}
      {props.actions.restart && (
        <ToolbarButtonComponent
          icon={refreshIcon}
          tooltip={trans.__('Restart %1', task.name)}
          onClick={props.actions.restart}
        />
      )}
    </>
  );
}

/** The time, once a second while it matters. */
function useNow(matters: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    setNow(Date.now());
    if (!matters) {
      return;
    }
    const timer = setInterval(() => setNow(Date.now()), SECOND);
    return () => clearInterval(timer);
  }, [matters]);
  return now;
}

/** The header as a widget of the tab. */
export class TaskHeader extends ReactWidget {
  constructor(private readonly _options: TaskHeader.IOptions) {
    super();
    this.addClass('jp-PtyTasks-header');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', _options.trans.__('Task'));
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
    const { model, connection, actions, trans } = this._options;
    const task = newest(model, connection);
    if (!task) {
      return null;
    }
    return (
      <Header
        task={task}
        isReadonly={connection.isReadonly}
        isFollowing={connection.isFollowing}
        actions={connection.link === 'gone' ? {} : actions}
        trans={trans}
      />
    );
  }
}

export namespace TaskHeader {
  export interface IOptions {
    model: ITaskModel;
    connection: TaskConnection;
    actions: IHeaderActions;
    trans: TranslationBundle;
  }
}
