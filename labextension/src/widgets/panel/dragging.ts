/** Dragging pending rows to another place in their group, or to another group. */

import type React from 'react';
import { useRef, useState } from 'react';

import { compareTurns } from '../../services/queue';
import type { IPlacing } from '../../services/types/requests';
import { isPending } from '../../services/types/states';
import type { ITask } from '../../services/types/tasks';
import type { Row } from './filter';
import type { Drop } from './row';

/** The MIME type of dragged rows; nothing outside of the panel accepts it. */
const DRAGGED = 'application/x-ptytasks';

export interface IDragging {
  /** The row at which an indicator shows where the dragged rows would be dropped. */
  target: { key: string; drop: Drop } | null;
  /** The event handlers of the list. */
  handlers: Pick<
    React.DOMAttributes<HTMLElement>,
    'onDragStart' | 'onDragOver' | 'onDragLeave' | 'onDrop' | 'onDragEnd'
  >;
}

/**
 * Let the user drag rows. Dragging a selected row moves all selected rows of its group.
 *
 * @param rowOf Returns the row in which an event happened.
 * @param onMove Called with the dragged tasks in their order.
 */
export function useDragging(
  rows: readonly Row[],
  selected: ReadonlySet<string>,
  rowOf: (event: React.MouseEvent) => Row | undefined,
  onMove: ((ids: readonly string[], where: IPlacing) => void) | undefined
): IDragging {
  const dragged = useRef<readonly ITask[]>([]);
  const [target, setTarget] = useState<IDragging['target']>(null);

  /** Return where the dragged tasks would be dropped; null if they may not be dropped there. */
  const targetOf = (event: React.DragEvent): IDragging['target'] => {
    const row = rowOf(event);
    const [first] = dragged.current;
    if (first && row?.kind === 'heading' && row.standing) {
      return row.standing.group.name === first.group ? null : { key: row.key, drop: 'into' };
    }
    if (!first || row?.kind !== 'task' || !isPending(row.task)) {
      return null;
    }
    if (dragged.current.some(({ id }) => id === row.key)) {
      return null;
    }
    const node = (event.target as Element).closest('[data-index]');
    const { top = 0, height = 0 } = node?.getBoundingClientRect() ?? {};
    return { key: row.key, drop: event.clientY < top + height / 2 ? 'before' : 'after' };
  };

  const end = () => {
    dragged.current = [];
    setTarget(null);
  };

  return {
    target,
    handlers: {
      onDragStart: event => {
        const row = rowOf(event);
        if (row?.kind !== 'task' || !onMove) {
          return;
        }
        const taken = rows.flatMap(other =>
          other.kind === 'task' && selected.has(other.key) ? [other.task] : []
        );
        const all = selected.has(row.key) ? taken : [row.task];
        dragged.current = all
          .filter(task => isPending(task) && task.group === row.task.group)
          .sort(compareTurns);
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData(DRAGGED, row.key);
      },
      onDragOver: event => {
        const next = targetOf(event);
        if (next) {
          event.preventDefault();
          event.dataTransfer.dropEffect = 'move';
        }
        if (next?.key !== target?.key || next?.drop !== target?.drop) {
          setTarget(next);
        }
      },
      onDragLeave: event => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) {
          setTarget(null);
        }
      },
      onDrop: event => {
        const place = targetOf(event);
        const row = rowOf(event);
        if (place && row) {
          event.preventDefault();
          const ids = dragged.current.map(({ id }) => id);
          const group = row.kind === 'task' ? row.task.group : row.label;
          const elsewhere = group === dragged.current[0].group ? {} : { group };
          onMove?.(ids, { ...placing(place), ...elsewhere });
        }
        end();
      },
      onDragEnd: end
    }
  };
}

function placing({ key, drop }: NonNullable<IDragging['target']>): IPlacing {
  return drop === 'into' ? { to: 'last' } : drop === 'before' ? { before: key } : { after: key };
}
