/** The table of runs: a virtual grid with an active cell. Clicking a heading sorts it. */

import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { defaultRangeExtractor, useVirtualizer, type Range } from '@tanstack/react-virtual';
import React, { useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';

import type { IRun } from '../../services/runs';
import { nextSort } from '../../services/runsview';
import { useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import { move, pick, pickAll, type ISelection, type Mode } from '../panel/selection';
import type { IColumn } from './columns';

/** The height of every row in pixels, so that none has to be measured. */
const HEIGHT = 28;
const OVERSCAN = 6;

/** The actions on rows, besides selecting them. */
export interface IRunsActions {
  open: (id: string) => void;
  delete: (ids: readonly string[]) => void;
  rename: (id: string) => void;
  menu: (ids: readonly string[], x: number, y: number) => void;
}

interface IRunsTableProps {
  runs: readonly IRun[];
  /** Whether all rows have been received. */
  isWhole: boolean;
  columns: readonly IColumn[];
  sort: string;
  selection: WatchedValue<ISelection>;
  actions: IRunsActions;
  onSort: (sort: string) => void;
  trans: TranslationBundle;
}

export function RunsTable(props: IRunsTableProps): JSX.Element {
  const { runs, columns, selection, actions, trans } = props;
  const { selected, active } = useWatchedValue(selection);
  const [column, setColumn] = useState(0);
  const id = useId();
  const ref = useRef<HTMLDivElement>(null);
  // Scrolling renders the table again: avoid work for each of thousands of rows.
  const rows = useMemo(() => runs.map(run => ({ kind: 'task' as const, key: run.id })), [runs]);
  const at = useMemo(
    () => (active === null ? -1 : runs.findIndex(run => run.id === active)),
    [runs, active]
  );
  const cell = Math.min(column, columns.length - 1);

  useEffect(() => {
    // A tab that was opened before there was a table has the focus itself.
    if (document.activeElement?.matches('.jp-PtyTasks-body')) {
      ref.current?.focus();
    }
  }, []);

  const rangeExtractor = useCallback(
    (range: Range) => {
      // aria-activedescendant refers to the active row.
      const indexes = defaultRangeExtractor(range);
      return at < 0 || indexes.includes(at) ? indexes : [...indexes, at].sort((a, b) => a - b);
    },
    [at]
  );
  const virtualizer = useVirtualizer({
    count: runs.length,
    getScrollElement: () => ref.current,
    estimateSize: () => HEIGHT,
    overscan: OVERSCAN,
    scrollPaddingStart: HEIGHT,
    paddingStart: HEIGHT,
    rangeExtractor
  });
  const items = virtualizer.getVirtualItems();
  const slots = useRef(0);
  slots.current = Math.max(slots.current, items.length);

  const go = (next: ISelection): void => {
    selection.value = next;
    const index = runs.findIndex(run => run.id === next.active);
    if (index >= 0) {
      virtualizer.scrollToIndex(index, { align: 'auto' });
    }
  };

  const goToColumn = (to: number): void => {
    const next = Math.min(Math.max(to, 0), columns.length - 1);
    setColumn(next);
    ref.current?.querySelector(`[role=columnheader]:nth-child(${next + 1})`)?.scrollIntoView({
      block: 'nearest',
      inline: 'nearest'
    });
  };

  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.altKey || (event.target as Element).closest('button')) {
      return;
    }
    const isCommand = event.ctrlKey || event.metaKey;
    const page = Math.max(1, Math.floor((ref.current?.clientHeight ?? 0) / HEIGHT) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: -1,
      ArrowDown: 1,
      PageUp: -page,
      PageDown: page,
      ...(isCommand && { Home: -runs.length, End: runs.length })
    };
    const cells: Readonly<Record<string, number>> = {
      ArrowLeft: cell - 1,
      ArrowRight: cell + 1,
      Home: 0,
      End: columns.length - 1
    };
    const step = steps[event.key];
    const to = cells[event.key];
    if (step !== undefined) {
      go(move(selection.value, rows, step, event.shiftKey ? 'range' : 'only'));
    } else if (to !== undefined) {
      goToColumn(to);
    } else if (event.key === 'a' && isCommand) {
      go(pickAll(selection.value, rows));
    } else if (active === null) {
      return;
    } else if (event.key === ' ') {
      go(pick(selection.value, rows, active, 'toggle'));
    } else if (event.key === 'Enter') {
      actions.open(active);
    } else if (event.key === 'F2') {
      actions.rename(active);
    } else if (event.key === 'Delete') {
      actions.delete([...selected]);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const runOf = (event: React.MouseEvent): string | null =>
    (event.target as Element).closest('[data-task]')?.getAttribute('data-task') ?? null;

  const onClick = (event: React.MouseEvent): void => {
    const run = runOf(event);
    if (run !== null) {
      const isToggling = event.ctrlKey || event.metaKey;
      const mode: Mode = event.shiftKey ? 'range' : isToggling ? 'toggle' : 'only';
      selection.value = pick(selection.value, rows, run, mode);
    }
  };

  const onContextMenu = (event: React.MouseEvent): void => {
    if (event.shiftKey) {
      return; // the browser's menu
    }
    // The menu key targets the table: open the menu of the active row.
    const run = runOf(event) ?? active;
    if (run === null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (!selection.value.selected.has(run)) {
      selection.value = pick(selection.value, rows, run, 'only');
    }
    const box = document.getElementById(`${id}-${run}`)?.getBoundingClientRect();
    const isByKey = runOf(event) === null && box !== undefined;
    const [x, y] = isByKey ? [box.left, box.bottom] : [event.clientX, event.clientY];
    actions.menu([...selection.value.selected], x, y);
  };

  const width = columns.reduce((sum, one) => sum + one.width, 0);
  const template = columns.map(one => `minmax(${one.width}px, ${one.width}fr)`).join(' ');
  return (
    <div
      ref={ref}
      role="grid"
      tabIndex={0}
      className="jp-PtyTasks-runs-table"
      aria-label={trans.__('Runs')}
      aria-multiselectable
      aria-rowcount={props.isWhole ? runs.length + 1 : -1}
      aria-activedescendant={at < 0 ? undefined : `${id}-${runs[at].id}-${cell}`}
      onKeyDown={onKeyDown}
      onMouseDown={event => {
        if (event.shiftKey) {
          event.preventDefault();
          ref.current?.focus({ preventScroll: true });
        }
      }}
      onClick={onClick}
      onDoubleClick={event => {
        const run = runOf(event);
        if (run !== null) {
          actions.open(run);
        }
      }}
      onContextMenu={onContextMenu}
    >
      <div
        role="presentation"
        className="jp-PtyTasks-runs-body"
        style={
          {
            height: virtualizer.getTotalSize(),
            minWidth: width,
            '--jp-ptytasks-columns': template
          } as React.CSSProperties
        }
      >
        <div role="row" aria-rowindex={1} className="jp-PtyTasks-runs-head">
          {columns.map(one => (
            <Heading key={one.id} column={one} {...props} />
          ))}
        </div>
        {items.map(item => {
          const run = runs[item.index];
          return (
            <RunRow
              // Rows that scroll out of view are reused. The active row may be anywhere.
              key={item.index === at ? 'active' : item.index % slots.current}
              id={`${id}-${run.id}`}
              run={run}
              index={item.index}
              offset={item.start}
              columns={columns}
              isSelected={selected.has(run.id)}
              activeCell={item.index === at ? cell : -1}
            />
          );
        })}
      </div>
    </div>
  );
}

interface IHeadingProps extends Pick<IRunsTableProps, 'sort' | 'onSort' | 'trans'> {
  column: IColumn;
}

function Heading({ column, sort, onSort, trans }: IHeadingProps): JSX.Element {
  const by = column.sort;
  const isUp = sort === by;
  const isDown = sort === `-${by}`;
  const Caret = isUp ? caretUpIcon.react : caretDownIcon.react;
  return (
    <div
      role="columnheader"
      aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}
      data-number={column.isNumber}
      title={column.label}
    >
      <button
        type="button"
        title={trans.__('Sort by %1', column.label)}
        onClick={() => onSort(nextSort(sort, by))}
      >
        <span>{column.label}</span>
        {(isUp || isDown) && <Caret tag="span" className="jp-PtyTasks-runs-caret" />}
      </button>
    </div>
  );
}

interface IRunRowProps {
  id: string;
  run: IRun;
  index: number;
  offset: number;
  columns: readonly IColumn[];
  isSelected: boolean;
  /** -1 if it is in another row. */
  activeCell: number;
}

/** Memoized: scrolling does not render it again. */
const RunRow = React.memo(function RunRow(props: IRunRowProps): JSX.Element {
  const { id, run, index, offset, columns, isSelected, activeCell } = props;
  return (
    <div
      id={id}
      role="row"
      className="jp-PtyTasks-runs-row"
      data-task={run.id}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={{ top: offset }}
    >
      {columns.map((column, at) => {
        const text = column.text(run);
        return (
          <div
            key={column.id}
            id={at === activeCell ? `${id}-${at}` : undefined}
            role="gridcell"
            className={at === activeCell ? 'jp-mod-active' : undefined}
            data-number={column.isNumber}
            title={text || undefined}
          >
            {column.show?.(run) ?? text}
          </div>
        );
      })}
    </div>
  );
});
