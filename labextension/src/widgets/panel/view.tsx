/** The content of the panel: search and grouping, then the list or a message. */

import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, {
  useCallback,
  useDeferredValue,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState
} from 'react';

import { useSignalValue, useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import type { StorageWatch } from '../../services/storage';
import type { ITask } from '../../services/types/tasks';
import type { ISeenTasks, ITaskModel } from '../../tokens';
import { useUnseen } from '../hooks';
import { Chips } from './chips';
import { Foot } from './foot';
import { GROUPINGS, listRows, toggled, type Grouping, type IFilter, type IView } from './filter';
import { TaskList } from './list';
import { Empty, Failure, LeftOut, Loading, NoMatch, Stale } from './problems';
import type { IRowContext } from './row';
import { settle, type ISelection } from './selection';

export interface ITasksViewProps extends Omit<IRowContext, 'onTag'> {
  model: ITaskModel;
  seen: ISeenTasks | null;
  view: WatchedValue<IView>;
  filter: WatchedValue<IFilter | null>;
  selection: WatchedValue<ISelection>;
  storage: StorageWatch;
  /** The last announcement to screen readers. */
  announced: WatchedValue<string>;
  onNew: (command?: string) => void;
  onOpen: (id: string) => void;
  onDelete: () => void;
  onRename: (id: string) => void;
}

export function TasksView(props: ITasksViewProps): JSX.Element {
  const {
    model,
    seen,
    view,
    filter,
    selection,
    storage,
    announced,
    onNew,
    onOpen,
    onDelete,
    onRename,
    ...context
  } = props;
  const { trans, rowLines } = context;
  const tasks = useSignalValue(model.changed, () => model.tasks);
  const groups = useSignalValue(model.changed, () => model.groups);
  const unreadable = useSignalValue(model.changed, () => model.unreadable);
  const error = useSignalValue(model.changed, () => model.error);
  const isReady = useSignalValue(model.changed, () => model.isReady);
  const unseen = useUnseen(seen);
  const looked = useWatchedValue(view);
  const limit = useWatchedValue(filter);
  const said = useWatchedValue(announced);
  const [query, setQuery] = useState('');
  // Typing has priority over rendering the list.
  const wanted = useDeferredValue(query);
  const rows = useMemo(
    () => listRows(tasks, groups, wanted, looked, trans, limit),
    [tasks, groups, wanted, looked, trans, limit]
  );
  const before = useRef(rows);
  useEffect(() => {
    selection.value = settle(selection.value, before.current, rows);
    before.current = rows;
  }, [rows, selection]);
  const id = useId();
  const listRef = useRef<HTMLDivElement>(null);
  const onVisible = useCallback(
    (visible: readonly ITask[]) => {
      rowLines.show(visible);
      if (limit && 'ids' in limit) {
        // The user asked for these tasks: they count as seen.
        seen?.see(visible.map(task => task.id));
      }
    },
    [rowLines, seen, limit]
  );

  const onTag = useCallback(
    (tag: string) => {
      filter.value = { tag };
    },
    [filter]
  );
  const showAll = () => {
    setQuery('');
    filter.value = null;
  };
  const onRetry = () => void model.refresh();
  if (tasks.length === 0) {
    if (error) {
      return <Failure error={error} trans={trans} onRetry={onRetry} />;
    }
    if (unreadable.length > 0) {
      return <LeftOut unreadable={unreadable} trans={trans} />;
    }
    return isReady ? <Empty trans={trans} onNew={onNew} /> : <Loading trans={trans} />;
  }
  return (
    <>
      <div className="jp-PtyTasks-controls">
        <InputGroup
          className="jp-PtyTasks-search"
          type="search"
          rightIcon="ui-components:search"
          aria-label={trans.__('Search tasks by name, command, tag or state')}
          placeholder={trans.__('Search')}
          value={query}
          onChange={event => setQuery(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'ArrowDown') {
              event.preventDefault();
              listRef.current?.focus();
            } else if (event.key === 'Escape') {
              showAll();
            }
          }}
        />
        <HTMLSelect
          className="jp-PtyTasks-grouping"
          aria-label={trans.__('Group tasks')}
          value={looked.grouping}
          options={GROUPINGS.map(value => ({ value, label: groupingLabel(value, trans) }))}
          onChange={event => {
            view.value = { ...looked, grouping: event.target.value as Grouping };
          }}
        />
      </div>
      <Chips
        unseen={unseen}
        filter={limit}
        onChange={next => {
          filter.value = next;
        }}
        trans={trans}
      />
      {error && <Stale error={error} trans={trans} onRetry={onRetry} />}
      <LeftOut unreadable={unreadable} trans={trans} />
      <div className="jp-PtyTasks-announcement" role="status">
        {wanted || limit ? trans._n('%1 task found', '%1 tasks found', countTasks(rows)) : said}
      </div>
      {rows.length === 0 ? (
        <NoMatch trans={trans} query={wanted} onClear={showAll} />
      ) : (
        <TaskList
          rows={rows}
          selection={selection}
          id={id}
          listRef={listRef}
          onOpen={onOpen}
          onDelete={onDelete}
          onRename={onRename}
          isCompact={looked.isCompact}
          onToggle={heading => {
            view.value = toggled(looked, heading);
          }}
          onVisible={onVisible}
          onTag={onTag}
          {...context}
        />
      )}
      <Foot storage={storage} trans={trans} />
    </>
  );
}

function groupingLabel(grouping: Grouping, trans: TranslationBundle): string {
  switch (grouping) {
    case 'none':
      return trans.__('No grouping');
    case 'sweep':
      return trans.__('By sweep');
    case 'state':
      return trans.__('By state');
    case 'group':
      return trans.__('By group');
  }
}

function countTasks(rows: ReturnType<typeof listRows>): number {
  return rows.reduce(
    (sum, row) => sum + (row.kind === 'task' ? 1 : row.isCollapsed ? row.count : 0),
    0
  );
}
