/** The page that covers the terminal of a pending task: why it waits, and until when. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { placeLabel, waitLabel } from '../../format/queue';
import { stateLabel } from '../../format/times';
import { isPending } from '../../services/types/states';
import type { ITask } from '../../services/types/tasks';
import type { TaskConnection } from '../../terminal/connection';
import type { ITaskModel } from '../../tokens';
import { useNow } from '../hooks';
import { PlaceBadge } from '../place';
import { StateIcon } from '../state';
import { newest } from './header';

interface IWaitProps {
  task: ITask;
  trans: TranslationBundle;
}

/** The content of the page. */
export function Wait({ task, trans }: IWaitProps): JSX.Element {
  const now = useNow(true);
  const state = stateLabel(task.state, trans);
  const wait = waitLabel(task, now, trans);
  const place = placeLabel(task, trans);
  return (
    <>
      <div className="jp-PtyTasks-wait-state">
        <StateIcon state={task.state} trans={trans} />
        <span>{place ? trans.__('%1, %2', state, place) : state}</span>
        <PlaceBadge task={task} trans={trans} />
      </div>
      {wait && <div className="jp-PtyTasks-wait-why">{wait}</div>}
      <div className="jp-PtyTasks-wait-hint">
        {trans.__('The terminal appears here when the task starts.')}
      </div>
    </>
  );
}

/** The page as a Lumino widget; hidden unless the task waits. */
export class WaitingPage extends ReactWidget {
  constructor(private readonly _options: WaitingPage.IOptions) {
    super();
    this.addClass('jp-PtyTasks-wait');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', _options.trans.__('Waiting'));
    const { model, connection } = _options;
    model.changed.connect(this._look, this);
    connection.changed.connect(this._look, this);
    this._look();
  }

  /** Whether the task waits. */
  get isWaiting(): boolean {
    return this._task !== undefined;
  }

  protected override render(): JSX.Element | null {
    return this._task ? <Wait task={this._task} trans={this._options.trans} /> : null;
  }

  private _look(): void {
    const { model, connection, onChange } = this._options;
    const was = this.isWaiting;
    const task = newest(model, connection);
    const known = model.get(connection.name);
    // The model is the first to know changes of the queue on this machine, the connection all others.
    const queue = known?.queue ?? task?.queue ?? null;
    this._task = task && isPending(task) ? { ...task, queue } : undefined;
    this.setHidden(!this.isWaiting);
    this.update();
    if (was !== this.isWaiting) {
      onChange();
    }
  }

  private _task: ITask | undefined;
}

export namespace WaitingPage {
  export interface IOptions {
    model: ITaskModel;
    connection: TaskConnection;
    /** Called when `isWaiting` has changed. */
    onChange: () => void;
    trans: TranslationBundle;
  }
}
