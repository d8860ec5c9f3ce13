/** The status bar item. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import React from 'react';

import { tasksIcon } from '../icons';
import { isActive, isPending, wentWrong, type ITask } from '../services/types';
import type { ITaskModel } from '../tokens';

/**
 * Milliseconds for which a failure is counted: a day, so that failures of the night show in the morning.
 */
const RECENT = 86_400_000;

/** Return the number of active, of pending and of recently failed tasks: `2 running · 37 queued · 1 failed`. */
export function summary(tasks: readonly ITask[], now: number, trans: TranslationBundle): string {
  const running = tasks.filter(isActive).length;
  const failed = tasks.filter(
    task => wentWrong(task) && now - Date.parse(task.ended ?? task.created) < RECENT
  ).length;
  const parts = [trans.__('%1 running', running)];
  const queued = tasks.filter(isPending).length;
  if (queued > 0) {
    parts.push(trans.__('%1 queued', queued));
  }
  if (failed > 0) {
    parts.push(trans.__('%1 failed', failed));
  }
  return parts.join(' · ');
}

/** A button with the summary that opens the panel. */
export class StatusItem extends ReactWidget {
  constructor(
    private readonly _model: ITaskModel,
    private readonly _onClick: () => void,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-mod-highlighted');
  }

  protected render(): React.JSX.Element {
    const caption = this._trans.__(
      'Background tasks: running now, waiting to start, and failed in the last 24 hours'
    );
    return (
      <UseSignal signal={this._model.changed}>
        {() => (
          <button
            type="button"
            className="jp-PtyTasks-status"
            title={caption}
            onClick={this._onClick}
          >
            <tasksIcon.react tag="span" height="16px" width="16px" />
            <span>{summary(this._model.tasks, Date.now(), this._trans)}</span>
          </button>
        )}
      </UseSignal>
    );
  }
}
