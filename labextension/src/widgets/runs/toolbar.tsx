/** The controls of the table of runs: columns, saved views, and actions on the selected runs. */

import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IRunsView, IRunsViews } from '../../services/runsview';
import type { IColumn } from './columns';

interface IColumnsProps {
  all: readonly IColumn[];
  /** The ids of those that are shown, in their order. */
  shown: readonly string[];
  onChange: (columns: string[] | null) => void;
  trans: TranslationBundle;
}

/** Chooses the columns; the name is always shown. */
export function Columns({ all, shown, onChange, trans }: IColumnsProps): JSX.Element {
  const toggle = (id: string): void =>
    onChange(shown.includes(id) ? shown.filter(one => one !== id) : [...shown, id]);
  return (
    <details
      className="jp-PtyTasks-runs-columns"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.currentTarget.open = false;
          event.currentTarget.querySelector('summary')?.focus();
        }
      }}
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          event.currentTarget.open = false;
        }
      }}
    >
      <summary>{trans.__('Columns')}</summary>
      <div role="group" aria-label={trans.__('Columns')} tabIndex={-1}>
        {all
          .filter(({ id }) => id !== 'name')
          .map(({ id, label }) => (
            <label key={id}>
              <input type="checkbox" checked={shown.includes(id)} onChange={() => toggle(id)} />
              {label}
            </label>
          ))}
        <button
          type="button"
          className="jp-mod-styled jp-PtyTasks-plain"
          onClick={() => onChange(null)}
        >
          {trans.__('Reset')}
        </button>
      </div>
    </details>
  );
}

interface IViewsProps {
  views: IRunsViews;
  onShow: (view: IRunsView) => void;
  /** Ask for a name, and save the current view under it. */
  onSave: () => void;
  onForget: (name: string) => void;
  trans: TranslationBundle;
}

/** Shows a saved view, saves the current one, or deletes the saved view that is shown. */
export function Views({ views, onShow, onSave, onForget, trans }: IViewsProps): JSX.Element {
  const present = JSON.stringify(views.current);
  const shown = views.saved.find(({ view }) => JSON.stringify(view) === present);
  return (
    <>
      {views.saved.length > 0 && (
        <HTMLSelect
          className="jp-PtyTasks-runs-filter"
          aria-label={trans.__('Saved views')}
          value={shown?.name ?? ''}
          options={[
            { value: '', label: trans.__('Saved views') },
            ...views.saved.map(({ name }) => ({ value: name, label: name }))
          ]}
          onChange={event => {
            const found = views.saved.find(({ name }) => name === event.target.value);
            if (found) {
              onShow(found.view);
            }
          }}
        />
      )}
      {shown ? (
        <button
          type="button"
          className="jp-mod-styled jp-PtyTasks-plain"
          onClick={() => onForget(shown.name)}
        >
          {trans.__('Delete View')}
        </button>
      ) : (
        <button type="button" className="jp-mod-styled jp-PtyTasks-plain" onClick={onSave}>
          {trans.__('Save View…')}
        </button>
      )}
    </>
  );
}

/** A button for the selected runs. */
export interface IBulkAction {
  label: string;
  caption: string;
  isEnabled: boolean;
  run: () => void;
}

interface IBulkProps {
  /** How many runs are selected. */
  count: number;
  actions: readonly IBulkAction[];
  trans: TranslationBundle;
}

export function Bulk({ count, actions, trans }: IBulkProps): JSX.Element {
  return (
    <div
      className="jp-PtyTasks-runs-bulk"
      role="toolbar"
      aria-label={trans.__('Actions for selected runs')}
    >
      <span role="status">{trans._n('%1 selected', '%1 selected', count)}</span>
      {actions.map(action => (
        <button
          key={action.label}
          type="button"
          className="jp-mod-styled jp-PtyTasks-plain"
          title={action.caption}
          disabled={!action.isEnabled}
          onClick={action.run}
        >
          {action.label}
        </button>
      ))}
    </div>
  );
}
