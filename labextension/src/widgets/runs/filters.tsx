/** The filters of the table of runs: the choices, and a chip for each active filter. */

import { HTMLSelect, InputGroup, closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { stateLabel } from '../../format/times';
import { PERIODS, STATE_SETS, WARNED, unfiltered, type IRunsView } from '../../services/runsview';
import { STATES, type State } from '../../services/types/states';

interface IFiltersProps {
  view: IRunsView;
  /** The groups and tags to choose from. */
  groups: readonly string[];
  tags: readonly string[];
  onChange: (view: IRunsView) => void;
  trans: TranslationBundle;
}

type Filter = 'state' | 'group' | 'tag' | 'period';

export function Filters({ view, groups, tags, onChange, trans }: IFiltersProps): JSX.Element {
  const choices: readonly (readonly [Filter, string, readonly string[]])[] = [
    ['state', trans.__('Any state'), [...Object.keys(STATE_SETS), WARNED, ...STATES]],
    ['period', trans.__('Any time'), Object.keys(PERIODS)],
    ['group', trans.__('Any group'), groups],
    ['tag', trans.__('Any tag'), tags]
  ];
  return (
    <>
      <InputGroup
        className="jp-PtyTasks-search"
        type="search"
        rightIcon="ui-components:search"
        aria-label={trans.__('Search runs by name, command, group or tag')}
        placeholder={trans.__('Search')}
        value={view.text}
        onChange={event => onChange({ ...view, text: event.target.value })}
      />
      {choices.map(([filter, any, values]) => (
        <HTMLSelect
          key={filter}
          className="jp-PtyTasks-runs-filter"
          aria-label={filterLabel(filter, trans)}
          value={view[filter]}
          options={[
            { value: '', label: any },
            ...values.map(value => ({ value, label: valueLabel(filter, value, trans) }))
          ]}
          onChange={event => onChange({ ...view, [filter]: event.target.value })}
        />
      ))}
    </>
  );
}

/** A button for each filter, which removes it; nothing without filters. */
export function Chips({
  view,
  onChange,
  trans
}: Pick<IFiltersProps, 'view' | 'onChange' | 'trans'>): JSX.Element | null {
  const filters = (['state', 'period', 'group', 'tag', 'text'] as const).filter(
    filter => view[filter].trim() !== ''
  );
  if (filters.length === 0) {
    return null;
  }
  return (
    <div className="jp-PtyTasks-chips" role="group" aria-label={trans.__('Active filters')}>
      {filters.map(filter => {
        const label =
          filter === 'text' ? `“${view.text.trim()}”` : valueLabel(filter, view[filter], trans);
        return (
          <button
            key={filter}
            type="button"
            title={trans.__('Remove the filter %1', label)}
            aria-label={trans.__('Remove the filter %1', label)}
            onClick={({ currentTarget }) => {
              moveFocus(
                filters.length > 1 ? currentTarget.nextElementSibling : null,
                currentTarget
              );
              onChange({ ...view, [filter]: '' });
            }}
          >
            <span>{label}</span>
            <closeIcon.react tag="span" />
          </button>
        );
      })}
      <button
        type="button"
        className="jp-mod-plain"
        onClick={({ currentTarget }) => {
          moveFocus(null, currentTarget);
          onChange(unfiltered(view));
        }}
      >
        {trans.__('Remove All')}
      </button>
    </div>
  );
}

/** Move the focus from a button that disappears to the next one; by default to the search field. */
function moveFocus(next: Element | null, button: HTMLElement): void {
  const target = next ?? button.closest('.jp-PtyTasks-runs')?.querySelector('input[type="search"]');
  if (target instanceof HTMLElement) {
    target.focus();
  }
}

function filterLabel(filter: Filter, trans: TranslationBundle): string {
  switch (filter) {
    case 'state':
      return trans.__('State');
    case 'period':
      return trans.__('Time');
    case 'group':
      return trans.__('Group');
    case 'tag':
      return trans.__('Tag');
  }
}

function valueLabel(filter: Filter, value: string, trans: TranslationBundle): string {
  const labels: Readonly<Record<string, string>> = {
    live: trans.__('Not ended'),
    wrong: trans.__('Went wrong'),
    [WARNED]: trans.__('With warnings'),
    hour: trans.__('Last hour'),
    day: trans.__('Last 24 hours'),
    week: trans.__('Last 7 days'),
    month: trans.__('Last 30 days')
  };
  if (filter === 'group' || filter === 'tag') {
    return value;
  }
  return labels[value] ?? stateLabel(value as State, trans);
}
