/** The list of tasks: a virtual list, so that only visible rows are in the document, with one active row. */

import { defaultRangeExtractor, useVirtualizer, type Range } from '@tanstack/react-virtual';
import React, { useCallback, useEffect, useRef } from 'react';

import { useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import type { ITask } from '../../services/types/tasks';
import { useDragging } from './dragging';
import type { Row } from './filter';
import { GroupRow } from './group';
import { HeadingRow, TaskRow, type IRowContext } from './row';
import { move, pick, pickAll, type ISelection, type Mode } from './selection';
import { SweepRow } from './sweep';
import { nextNamed, useTypeAhead } from './typeahead';

/** Estimated heights of rows in pixels, before they are measured. */
const TASK_HEIGHT = 62;
const HEADING_HEIGHT = 26;
const GROUP_HEIGHT = 49;

/** The number of extra rows above and below the visible ones. */
const OVERSCAN = 6;

interface ITaskListProps extends IRowContext {
  rows: readonly Row[];
  selection: WatchedValue<ISelection>;
  /** The prefix of element ids. */
  id: string;
  listRef: React.RefObject<HTMLDivElement>;
  onOpen: (id: string) => void;
  onToggle: (heading: string) => void;
  onDelete: () => void;
  onRename: (id: string) => void;
  isCompact: boolean;
  onVisible: (tasks: readonly ITask[]) => void;
}

export function TaskList(props: ITaskListProps): JSX.Element {
  const { rows, selection, id, listRef, onOpen, onToggle, onVisible, isCompact, ...context } =
    props;
  const typed = useTypeAhead();
  const { selected, active } = useWatchedValue(selection);
  const activeIndex = active === null ? -1 : rows.findIndex(row => row.key === active);
  const hasHeadings = rows.some(row => row.kind === 'heading');
  // The tasks of a sweep are in the order of its parameters.
  const isInTurn = !rows.some(row => row.kind === 'heading' && row.sweep);

  const rangeExtractor = useCallback(
    (range: Range) => {
      const indexes = new Set(defaultRangeExtractor(range));
      // The active row stays in the document, because aria-activedescendant refers to it, and so does the heading of the first row.
      [activeIndex, headingAbove(rows, range.startIndex)].forEach(index => indexes.add(index));
      indexes.delete(-1);
      return [...indexes].sort((a, b) => a - b);
    },
    [activeIndex, rows]
  );
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => listRef.current,
    estimateSize: index => heightOf(rows[index], isCompact),
    getItemKey: index => rows[index].key,
    overscan: OVERSCAN,
    // Headings are sticky.
    scrollPaddingStart: hasHeadings ? GROUP_HEIGHT : 0,
    rangeExtractor
  });
  const items = virtualizer.getVirtualItems();

  // Not from `items`, which include the active row even if it is not visible.
  const first = virtualizer.range?.startIndex;
  const last = virtualizer.range?.endIndex ?? 0;
  const stuck = first === undefined ? -1 : headingAbove(rows, first);
  useEffect(() => {
    const inSight = first === undefined ? [] : rows.slice(first, last + 1);
    onVisible(inSight.flatMap(row => (row.kind === 'task' ? [row.task] : [])));
  }, [rows, first, last, onVisible]);

  /** Change the selection, and scroll to the active row. */
  const go = (next: ISelection) => {
    selection.value = next;
    const index = rows.findIndex(row => row.key === next.active);
    if (index >= 0) {
      virtualizer.scrollToIndex(index, { align: 'auto' });
    }
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.altKey) {
      // Shortcuts of commands, which the user can change.
      return;
    }
    const page = Math.max(1, Math.floor((listRef.current?.clientHeight ?? 0) / TASK_HEIGHT) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: -1,
      ArrowDown: 1,
      PageUp: -page,
      PageDown: page,
      Home: -rows.length,
      End: rows.length
    };
    const row = activeIndex < 0 ? undefined : rows[activeIndex];
    const step = steps[event.key];
    if (step !== undefined) {
      go(move(selection.value, rows, step, event.shiftKey ? 'range' : 'only'));
    } else if (event.key === 'Enter' && row) {
      activate(row);
    } else if (event.key === ' ' && row) {
      go(pick(selection.value, rows, row.key, 'toggle'));
    } else if (event.key === 'Delete') {
      props.onDelete();
    } else if (event.key === 'F2' && row?.kind === 'task') {
      props.onRename(row.key);
    } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      go(pickAll(selection.value, rows));
    } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      fold(row, event.key === 'ArrowLeft');
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      const found = nextNamed(rows, activeIndex, typed(event.key));
      if (found) {
        go(pick(selection.value, rows, found, 'only'));
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const activate = (row: Row) => {
    if (row.kind === 'heading') {
      onToggle(row.key);
    } else {
      onOpen(row.key);
    }
  };

  /** Collapse or expand a group, as in a tree: collapsing from a task first moves to its heading. */
  const fold = (row: Row | undefined, isClosing: boolean) => {
    if (row?.kind === 'heading') {
      if (row.isCollapsed !== isClosing) {
        onToggle(row.key);
      }
    } else if (row && isClosing) {
      const heading = rows
        .slice(0, activeIndex)
        .reverse()
        .find(other => other.kind === 'heading');
      if (heading) {
        go(pick(selection.value, rows, heading.key, 'only'));
      }
    }
  };

  /** Start at the first row if the focus comes from the keyboard; a click selects a row itself. */
  const isPointed = useRef(false);
  const onFocus = () => {
    if (!isPointed.current && activeIndex < 0) {
      selection.value = move(selection.value, rows, 0, 'only');
    }
    isPointed.current = false;
  };

  const rowOf = (event: React.MouseEvent): Row | undefined => {
    const node = (event.target as Element).closest('[data-index]');
    return node ? rows[Number(node.getAttribute('data-index'))] : undefined;
  };

  const { move: onMove } = useWatchedValue(context.actions);
  const dragging = useDragging(rows, selected, rowOf, isInTurn ? onMove : undefined);

  /** Keep the browser from selecting text on Shift+click. */
  const onMouseDown = (event: React.MouseEvent) => {
    if (event.shiftKey && event.button === 0) {
      event.preventDefault();
      listRef.current?.focus({ preventScroll: true });
    }
  };

  const onClick = (event: React.MouseEvent) => {
    const row = rowOf(event);
    if (!row) {
      return;
    }
    const isToggling = event.ctrlKey || event.metaKey;
    const mode: Mode = event.shiftKey ? 'range' : isToggling ? 'toggle' : 'only';
    selection.value = pick(selection.value, rows, row.key, mode);
    if (mode === 'only') {
      activate(row);
    }
  };

  const onContextMenu = (event: React.MouseEvent) => {
    const row = rowOf(event);
    if (row) {
      // The menu applies to the selection.
      if (!selection.value.selected.has(row.key)) {
        selection.value = pick(selection.value, rows, row.key, 'only');
      }
    } else if (event.button !== 2 && activeIndex >= 0) {
      // The menu key targets the focused list: open the menu of the active row instead.
      const node = document.getElementById(rowId(id, activeIndex));
      if (node) {
        event.preventDefault();
        event.stopPropagation();
        openMenu(node);
      }
    }
  };

  return (
    <div
      ref={listRef}
      role="treegrid"
      tabIndex={0}
      className="jp-PtyTasks-list"
      aria-label={context.trans.__('Tasks')}
      aria-multiselectable
      data-compact={isCompact}
      aria-rowcount={rows.length}
      aria-activedescendant={activeIndex < 0 ? undefined : rowId(id, activeIndex)}
      onKeyDown={onKeyDown}
      onMouseDown={onMouseDown}
      onClick={onClick}
      onContextMenu={onContextMenu}
      onPointerDown={() => {
        isPointed.current = true;
      }}
      onFocus={onFocus}
      {...dragging.handlers}
    >
      <div role="presentation" style={{ height: virtualizer.getTotalSize() }}>
        {items.map(item => {
          const row = rows[item.index];
          const place = {
            id: rowId(id, item.index),
            index: item.index,
            offset: item.start,
            isActive: item.index === activeIndex,
            isStuck: item.index === stuck,
            measure: virtualizer.measureElement
          };
          const drop = dragging.target?.key === row.key ? dragging.target.drop : null;
          if (row.kind === 'heading' && row.sweep) {
            return (
              <SweepRow key={row.key} heading={row} sweep={row.sweep} {...place} {...context} />
            );
          }
          if (row.kind === 'heading') {
            return row.standing ? (
              <GroupRow
                key={row.key}
                heading={row}
                standing={row.standing}
                drop={drop}
                {...place}
                {...context}
              />
            ) : (
              <HeadingRow key={row.key} heading={row} {...place} trans={context.trans} />
            );
          }
          return (
            <TaskRow
              key={row.key}
              task={row.task}
              label={row.label}
              isInTurn={isInTurn}
              {...place}
              level={hasHeadings ? 2 : 1}
              isSelected={selected.has(row.key)}
              drop={drop}
              {...context}
            />
          );
        })}
      </div>
    </div>
  );
}

function heightOf(row: Row, isCompact: boolean): number {
  const isDouble = row.kind === 'heading' && (row.standing ?? row.sweep);
  const task = isCompact ? HEADING_HEIGHT : TASK_HEIGHT;
  return row.kind === 'task' ? task : isDouble ? GROUP_HEIGHT : HEADING_HEIGHT;
}

/** Return the index of the heading to which a row belongs, or which it is; -1 if there is none. */
function headingAbove(rows: readonly Row[], index: number): number {
  let at = Math.min(index, rows.length - 1);
  while (at >= 0 && rows[at].kind !== 'heading') {
    at--;
  }
  return at;
}

function rowId(prefix: string, index: number): string {
  return `${prefix}-row-${index}`;
}

/** Open the context menu of an element at its position. */
function openMenu(node: HTMLElement): void {
  const { left, top, height } = node.getBoundingClientRect();
  node.dispatchEvent(
    new MouseEvent('contextmenu', {
      bubbles: true,
      cancelable: true,
      clientX: left + height / 2,
      clientY: top + height / 2,
      button: 2
    })
  );
}
