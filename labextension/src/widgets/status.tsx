/** The status bar item: a button that shows the panel, and one for the failed tasks that the user has not seen. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { tasksIcon } from '../icons';
import { isActive, isPending } from '../services/types/states';
import type { ITask } from '../services/types/tasks';
import { useSignalValue } from '../services/watchedvalue';
import type { ISeenTasks, ITaskModel } from '../tokens';
import { useUnseen } from './hooks';

/** Return the number of active and of pending tasks: `2 running · 37 queued`. */
function summary(tasks: readonly ITask[], trans: TranslationBundle): string {
  const running = trans.__('%1 running', tasks.filter(isActive).length);
  const queued = tasks.filter(isPending).length;
  return queued > 0 ? `${running} · ${trans.__('%1 queued', queued)}` : running;
}

interface IStatusProps {
  model: ITaskModel;
  seen: ISeenTasks | null;
  /** Show the panel, limited to some tasks if they are given. */
  show: (args?: { ids: string[]; label: string }) => void;
  trans: TranslationBundle;
}

export class StatusItem extends ReactWidget {
  constructor(private readonly _props: IStatusProps) {
    super();
    this.addClass('jp-mod-highlighted');
  }

  protected render(): React.JSX.Element {
    return <Status {...this._props} />;
  }
}

function Status({ model, seen, show, trans }: IStatusProps): JSX.Element {
  const tasks = useSignalValue(model.changed, () => model.tasks);
  const unseen = useUnseen(seen);
  const failed = trans.__('%1 failed', unseen.length);
  return (
    <div className="jp-PtyTasks-status">
      <button
        type="button"
        title={trans.__('Background tasks: running now, and waiting to start')}
        onClick={() => show()}
      >
        <tasksIcon.react tag="span" height="16px" width="16px" />
        <span>{summary(tasks, trans)}</span>
      </button>
      {unseen.length > 0 && (
        <button
          type="button"
          title={trans.__('Failed background tasks that you have not seen')}
          onClick={() => show({ ids: unseen.map(task => task.id), label: failed })}
        >
          {failed}
        </button>
      )}
    </div>
  );
}
