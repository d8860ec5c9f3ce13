/** The banner that explains why there is no more output: connection lost, task ended or deleted. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, ReactWidget } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import React from 'react';

import type { TaskConnection } from '../../terminal/connection';
import { exitLabel, stateLabel } from '../../format/times';
import { isExplained, reasonOf } from '../../format/why';
import { isEnded } from '../../services/types/states';
import type { ITask } from '../../services/types/tasks';
import type { ITaskModel } from '../../tokens';
import { newest } from './header';

/** The class of an empty banner, which takes no space, but stays in the document as a live region for screen readers. */
const SILENT = 'jp-mod-silent';

/** The actions of the buttons for a task that has ended; without an action there is no button. */
export interface IBannerActions {
  runAgain?: () => void;
  editAgain?: () => void;
}

/** Return the text for the state of a connection; null if there is nothing to report. */
export function bannerText(
  connection: TaskConnection,
  task: ITask | undefined,
  trans: TranslationBundle
): string | null {
  switch (connection.link) {
    case 'lost':
      return trans.__(
        'The connection to the server was lost. Reconnecting… The task is not affected.'
      );
    case 'gone':
      return trans.__('This task and its output have been deleted.');
    case 'off':
      return trans.__('Background tasks are not available on this server.');
    case 'ended':
      return task && isEnded(task) ? ending(task, trans) : null;
    default:
      return connection.refusal
        ? trans.__('Your input was not sent: %1.', connection.refusal)
        : null;
  }
}

/** Return how a task ended, and why: `Failed (exit 3): ValueError: bad rate`. The header does not repeat it. */
function ending(task: ITask, trans: TranslationBundle): string {
  const state = stateLabel(task.state, trans);
  const exit = exitLabel(task, trans);
  const how = exit ? trans.__('%1 (%2)', state, exit) : state;
  const why = task.state === 'timed_out' && exit ? '' : reasonOf(task);
  return why ? trans.__('%1: %2', how, why) : how;
}

/** The banner as a Lumino widget. */
export class TaskBanner extends ReactWidget {
  constructor(private readonly _options: TaskBanner.IOptions) {
    super();
    this.addClass('jp-PtyTasks-banner');
    this.addClass(SILENT);
    this.node.setAttribute('role', 'status');
    const { model, connection } = _options;
    model.changed.connect(this._look, this);
    connection.changed.connect(this._look, this);
  }

  protected override render(): JSX.Element {
    const { model, connection, onShow, actions, trans } = this._options;
    const task = newest(model, connection);
    const retry = () => {
      connection.connect();
      void model.refresh();
    };
    return (
      <>
        <span className="jp-PtyTasks-banner-text" title={this._text ?? undefined}>
          {this._text}
        </span>
        {connection.link === 'ended' && task && isExplained(task) && (
          <Button small minimal title={trans.__('Show the line that says why')} onClick={onShow}>
            {trans.__('Show Line')}
          </Button>
        )}
        {connection.link === 'ended' && actions.runAgain && (
          <Button small minimal onClick={actions.runAgain}>
            {trans.__('Run Again')}
          </Button>
        )}
        {connection.link === 'ended' && actions.editAgain && (
          <Button small minimal onClick={actions.editAgain}>
            {trans.__('Edit and Run Again…')}
          </Button>
        )}
        {(connection.link === 'lost' || connection.link === 'off') && (
          <Button small minimal onClick={retry}>
            {trans.__('Try Now')}
          </Button>
        )}
      </>
    );
  }

  private _look(): void {
    const { model, connection, trans } = this._options;
    const text = bannerText(connection, newest(model, connection), trans);
    if (text === this._text) {
      return;
    }
    this._text = text;
    this.toggleClass(SILENT, text === null);
    this.node.dataset.link = connection.link;
    this.update();
    if (this.parent) {
      MessageLoop.postMessage(this.parent, Widget.Msg.FitRequest);
    }
  }

  private _text: string | null = null;
}

export namespace TaskBanner {
  export interface IOptions {
    model: ITaskModel;
    connection: TaskConnection;
    /** Show the line of the output that says why the task failed. */
    onShow: () => void;
    actions: IBannerActions;
    trans: TranslationBundle;
  }
}
