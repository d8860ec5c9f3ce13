/** The content of the tab of runs: filters and views, then the table or a message. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useDeferredValue, useEffect, useMemo, useRef } from 'react';

import { serverNow } from '../../services/clock';
import type { IWanted, OutputSearch } from '../../services/outputsearch';
import type { RunsSource } from '../../services/runs';
import {
  isFiltered,
  searchOf,
  unfiltered,
  type IRunsView,
  type IRunsViews
} from '../../services/runsview';
import { useSignalValue, useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import type { ITaskModel } from '../../tokens';
import { Empty, Failure, Loading, Stale } from '../panel/problems';
import { settle, type IPickable, type ISelection } from '../panel/selection';
import { allColumns, traitsOf, usualColumns, type ITraits } from './columns';
import { Chips, Filters } from './filters';
import { Found, SearchField } from './search';
import { RunsTable, type IRunsActions } from './table';
import { Bulk, Columns, Views, type IBulkAction } from './toolbar';

/** The most lines that a search finds. */
const MOST = 500;

export interface IRunsViewProps {
  model: ITaskModel;
  source: RunsSource;
  search: OutputSearch;
  views: WatchedValue<IRunsViews>;
  selection: WatchedValue<ISelection>;
  actions: IRunsActions & {
    create: (command?: string) => void;
    /** Choose which finished tasks to delete; undefined if the plugin is disabled. */
    cleanUp?: () => void;
    /** Show a line of a task's output in its terminal, with the same search. */
    openLine: (id: string, line: number, wanted: IWanted | null) => void;
    /** Ask for a name; null if canceled. */
    askForName: () => Promise<string | null>;
    /** Return the actions on these runs. */
    ofSelection: (ids: readonly string[]) => readonly IBulkAction[];
  };
  trans: TranslationBundle;
}

export function RunsView(props: IRunsViewProps): JSX.Element {
  const { model, source, search, views, selection, actions, trans } = props;
  const known = useWatchedValue(views);
  const view = known.current;
  const runs = useSignalValue(source.changed, () => source.rows);
  const isWhole = useSignalValue(source.changed, () => source.isWhole);
  const error = useSignalValue(source.changed, () => source.error);
  const tasks = useSignalValue(model.changed, () => model.tasks);
  const isSearched = useSignalValue(search.changed, () => search.state !== 'idle');
  const { selected } = useWatchedValue(selection);

  // Typing has priority over requests.
  const wanted = useDeferredValue(view);
  const { columns: ids, sort, state, group, tag, period, text } = wanted;
  const hasCommits = ids?.includes('git');
  useEffect(
    () => source.show(wanted),
    // Other columns do not change the request.
    [source, hasCommits, sort, state, group, tag, period, text]
  );

  const before = useRef<readonly IPickable[]>([]);
  useEffect(() => {
    const rows = runs.map(run => ({ kind: 'task' as const, key: run.id }));
    selection.value = settle(selection.value, before.current, rows);
    before.current = rows;
  }, [runs, selection]);

  // As text, so that the columns stay the same objects while the traits are equal.
  const traits = JSON.stringify(useMemo(() => traitsOf(runs), [runs]));
  const columns = useMemo(() => {
    const found: ITraits = JSON.parse(traits);
    const ids = view.columns ?? usualColumns(found);
    // Keep chosen columns even if no run has a value.
    const all = allColumns(
      {
        params: union(found.params, named(ids, /^params\.(.+)$/)),
        metrics: union(found.metrics, named(ids, /^(?:metrics|min|max)\.(.+)$/)),
        bests: union(found.bests, named(ids, /^((?:min|max)\..+)$/))
      },
      trans
    );
    const shown = ['name', ...ids.filter(id => id !== 'name')].flatMap(
      id => all.find(column => column.id === id) ?? []
    );
    return { all, shown };
  }, [traits, view.columns, trans]);

  const groups = useMemo(() => choices(tasks.map(task => task.group)), [tasks]);
  const tags = useMemo(() => choices(tasks.flatMap(task => task.tags)), [tasks]);
  const show = (next: IRunsView): void => {
    views.value = { ...views.value, current: next };
  };
  const chosen = [...selected];

  return (
    <>
      <div className="jp-PtyTasks-controls">
        <Filters view={view} groups={groups} tags={tags} onChange={show} trans={trans} />
        <Columns
          all={columns.all}
          shown={columns.shown.map(({ id }) => id)}
          onChange={ids => show({ ...view, columns: ids })}
          trans={trans}
        />
        <Views
          views={known}
          onShow={show}
          onSave={() =>
            void actions.askForName().then(name => {
              if (name) {
                const others = views.value.saved.filter(one => one.name !== name);
                views.value = { ...views.value, saved: [...others, { name, view }] };
              }
            })
          }
          onForget={name => {
            const saved = known.saved.filter(one => one.name !== name);
            views.value = { ...known, saved };
          }}
          trans={trans}
        />
        <SearchField
          search={search}
          onStart={sought => void search.start(sought, searchOf(view, serverNow()), MOST)}
          trans={trans}
        />
      </div>
      <Chips view={view} onChange={show} trans={trans} />
      {error && runs.length > 0 && (
        <Stale error={error} trans={trans} onRetry={() => source.show(view)} />
      )}
      {isSearched ? (
        <Found search={search} onOpen={actions.openLine} trans={trans} />
      ) : runs.length > 0 ? (
        <RunsTable
          runs={runs}
          isWhole={isWhole}
          columns={columns.shown}
          sort={view.sort}
          selection={selection}
          actions={actions}
          onSort={next => show({ ...view, sort: next })}
          trans={trans}
        />
      ) : error ? (
        <Failure error={error} trans={trans} onRetry={() => source.show(view)} />
      ) : !isWhole ? (
        <Loading trans={trans} />
      ) : isFiltered(view) ? (
        <NoRuns onClear={() => show(unfiltered(view))} trans={trans} />
      ) : (
        <Empty trans={trans} onNew={actions.create} />
      )}
      <div className="jp-PtyTasks-runs-foot">
        {chosen.length > 0 ? (
          <Bulk count={chosen.length} actions={actions.ofSelection(chosen)} trans={trans} />
        ) : (
          <>
            <span role="status">
              {isWhole
                ? trans._n('%1 run', '%1 runs', runs.length)
                : error
                  ? trans.__('Not loaded')
                  : trans.__('Loading runs…')}
            </span>
            {actions.cleanUp && (
              <button
                type="button"
                className="jp-mod-styled jp-PtyTasks-plain"
                onClick={actions.cleanUp}
              >
                {trans.__('Clean Up…')}
              </button>
            )}
          </>
        )}
      </div>
    </>
  );
}

interface INoRunsProps {
  onClear: () => void;
  trans: TranslationBundle;
}

function NoRuns({ onClear, trans }: INoRunsProps): JSX.Element {
  return (
    <div className="jp-PtyTasks-notice" role="status">
      <p>{trans.__('No runs match these filters.')}</p>
      <button type="button" className="jp-mod-styled jp-PtyTasks-plain" onClick={onClear}>
        {trans.__('Remove All Filters')}
      </button>
    </div>
  );
}

/** Return the first group of the pattern for each id that matches. */
function named(ids: readonly string[], pattern: RegExp): string[] {
  return ids.flatMap(id => pattern.exec(id)?.[1] ?? []);
}

function union(some: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...some, ...more])];
}

function choices(values: readonly string[]): string[] {
  return [...new Set(values)].sort((a, b) => a.localeCompare(b));
}
