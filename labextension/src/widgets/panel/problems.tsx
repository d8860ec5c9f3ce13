/** The messages of the panel: no tasks, no server, an outdated or incomplete list. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { TaskError } from '../../services/api';
import type { IUnreadable } from '../../services/types/lists';

/** The command that enables the server extension. */
const ENABLE = 'jupyter server extension enable jupyter_ptytasks';

/** An example that takes a minute. */
const SAMPLE = 'for i in $(seq 60); do echo "step $i of 60"; sleep 1; done';

interface INoticeProps {
  trans: TranslationBundle;
}

export function Loading({ trans }: INoticeProps): JSX.Element {
  return (
    <div className="jp-PtyTasks-notice" role="status">
      {trans.__('Loading tasks…')}
    </div>
  );
}

interface IEmptyProps extends INoticeProps {
  /** Open the dialog with this command. */
  onNew: (command?: string) => void;
}

export function Empty({ trans, onNew }: IEmptyProps): JSX.Element {
  return (
    <div className="jp-PtyTasks-notice">
      <h2>{trans.__('No tasks yet')}</h2>
      <p>
        {trans.__(
          'A task is a command that the server runs in its own terminal. It keeps running when you close the browser, and its output is here when you come back.'
        )}
      </p>
      <button type="button" className="jp-mod-styled jp-mod-accept" onClick={() => onNew()}>
        {trans.__('New Task…')}
      </button>
      <p>{trans.__('For example:')}</p>
      <pre className="jp-PtyTasks-sample">{SAMPLE}</pre>
      <button
        type="button"
        className="jp-mod-styled jp-PtyTasks-plain"
        onClick={() => onNew(SAMPLE)}
      >
        {trans.__('Try This Example…')}
      </button>
    </div>
  );
}

interface INoMatchProps extends INoticeProps {
  query: string;
  onClear: () => void;
}

export function NoMatch({ trans, query, onClear }: INoMatchProps): JSX.Element {
  return (
    <div className="jp-PtyTasks-notice" role="status">
      <p>
        {query ? trans.__('No tasks match “%1”.', query) : trans.__('No tasks match this filter.')}
      </p>
      <button type="button" className="jp-mod-styled jp-PtyTasks-plain" onClick={onClear}>
        {trans.__('Show All Tasks')}
      </button>
    </div>
  );
}

interface IFailureProps extends INoticeProps {
  error: TaskError;
  /** Request the list again: there is no automatic retry if tasks are not available. */
  onRetry: () => void;
}

/** The problem and how to solve it, in place of the list. */
export function Failure({ trans, error, onRetry }: IFailureProps): JSX.Element {
  if (error.isForbidden) {
    return (
      <div className="jp-PtyTasks-notice" role="alert">
        <h2>{trans.__('Tasks are turned off on this server')}</h2>
        <p>{error.message}</p>
        <p>{trans.__('Background tasks run in terminals and need this setting.')}</p>
        <Retry trans={trans} onRetry={onRetry} />
      </div>
    );
  }
  if (error.isDisabled) {
    return (
      <div className="jp-PtyTasks-notice" role="alert">
        <h2>{trans.__('Tasks are not enabled on the server')}</h2>
        <p>{trans.__('Enable the server extension with this command, then restart the server:')}</p>
        <pre className="jp-PtyTasks-sample">{ENABLE}</pre>
        <Retry trans={trans} onRetry={onRetry} />
      </div>
    );
  }
  return (
    <div className="jp-PtyTasks-notice" role="alert">
      <h2>{headline(error, trans)}</h2>
      <p>{trans.__('Running tasks are not affected. The list is reloaded automatically.')}</p>
      <p className="jp-PtyTasks-detail">{error.message}</p>
    </div>
  );
}

/** The same in one line, above an outdated list. */
export function Stale({ trans, error, onRetry }: IFailureProps): JSX.Element {
  const text = error.isForbidden
    ? error.message
    : error.isDisabled
      ? trans.__('Tasks are no longer enabled on the server. Enable them with: %1', ENABLE)
      : trans.__('%1. Retrying…', headline(error, trans));
  return (
    <div className="jp-PtyTasks-stale" role="alert" title={error.message}>
      <p>{text}</p>
      {error.isLasting && <Retry trans={trans} onRetry={onRetry} />}
    </div>
  );
}

function Retry({ trans, onRetry }: INoticeProps & Pick<IFailureProps, 'onRetry'>): JSX.Element {
  return (
    <button type="button" className="jp-mod-styled jp-PtyTasks-plain" onClick={onRetry}>
      {trans.__('Check Again')}
    </button>
  );
}

function headline(error: TaskError, trans: TranslationBundle): string {
  return error.status === 0
    ? trans.__('The server cannot be reached')
    : trans.__('The server could not list its tasks');
}

/** The most unreadable tasks that are named. */
const NAMED = 5;

/** The tasks that cannot be read, above the others. */
export function LeftOut(
  props: INoticeProps & { unreadable: readonly IUnreadable[] }
): JSX.Element | null {
  const { trans, unreadable } = props;
  const count = unreadable.length;
  if (count === 0) {
    return null;
  }
  const names = unreadable.slice(0, NAMED).map(({ label }) => label || trans.__('(unnamed)'));
  if (count > NAMED) {
    names.push(trans._n('%1 more', '%1 more', count - NAMED));
  }
  const fields = [...new Set(unreadable.flatMap(one => one.fields))].slice(0, NAMED).join(', ');
  const why = fields
    ? trans.__('This version of the extension does not recognize their values of: %1', fields)
    : trans.__('This version of the extension cannot read them.');
  return (
    <div className="jp-PtyTasks-stale" role="status" title={why}>
      <p>
        {trans._n(
          '%1 task could not be shown: %2',
          '%1 tasks could not be shown: %2',
          count,
          names.join(', ')
        )}
      </p>
    </div>
  );
}
