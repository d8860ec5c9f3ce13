/** The summary of a task below the header of its terminal, hidden until the user expands it. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils';
import React from 'react';

import '../../../style/details.css';

import { commandLine } from '../../services/types/tasks';
import { WatchedValue } from '../../services/watchedvalue';
import type { TaskConnection } from '../../terminal/connection';
import type { ITaskModel } from '../../tokens';
import { Facts } from '../details/facts';
import { newest, type ISummaryState } from './header';

export class TaskSummary extends ReactWidget implements ISummaryState {
  constructor(private readonly _options: TaskSummary.IOptions) {
    super();
    this.id = `jp-PtyTasks-summary-${UUID.uuid4()}`;
    this.addClass('jp-PtyTasks-summary');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _options.trans.__('Task summary'));
    this.node.tabIndex = 0;
    this.hide();
    this.isExpanded.changed.connect(({ value }) => this.setHidden(!value));
  }

  readonly isExpanded = new WatchedValue(false);

  protected override render(): JSX.Element {
    const { model, connection, trans } = this._options;
    const renderTask = () => {
      const task = newest(model, connection);
      return (
        task && (
          <>
            <pre>{commandLine(task)}</pre>
            <Facts task={task} details={null} trans={trans} />
          </>
        )
      );
    };
    return <UseSignal signal={model.changed}>{renderTask}</UseSignal>;
  }
}

export namespace TaskSummary {
  export interface IOptions {
    model: ITaskModel;
    connection: TaskConnection;
    trans: TranslationBundle;
  }
}
