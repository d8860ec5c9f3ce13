/** The table of a metrics tab: parameters, last and best values of each task. It is also the legend of the charts. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { best, numeral } from '../../format/curves';
import type { ICurve } from '../../services/types/measured';
import type { ITask } from '../../services/types/tasks';
import { TaskName } from '../name';
import { StateIcon } from '../state';
import type { ILineLook } from './look';

/** A task and its metrics by their names. */
export interface ITableRow {
  id: string;
  name: string;
  /** Undefined if the server does not have it. */
  task: ITask | undefined;
  look: ILineLook;
  isShown: boolean;
  /** When output was missing, in Unix seconds. */
  gaps: readonly number[];
  metrics: ReadonlyMap<string, ICurve>;
}

export interface ITableProps {
  rows: readonly ITableRow[];
  /** The metrics with a column. */
  names: readonly string[];
  onToggle: (id: string) => void;
  open?: (id: string) => void;
  trans: TranslationBundle;
}

export function MetricsTable({ rows, names, onToggle, open, trans }: ITableProps): JSX.Element {
  const params = [...new Set(rows.flatMap(({ task }) => Object.keys(task?.params ?? {})))];
  const bests = new Map(names.map(name => [name, bestOf(rows, name)]));
  return (
    <div
      className="jp-PtyTasks-metrics-table"
      tabIndex={0}
      role="region"
      aria-label={trans.__('Values')}
    >
      <table>
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              {trans.__('Task')}
            </th>
            {params.map(name => (
              <th key={name} scope="col" rowSpan={2} title={name}>
                {name}
              </th>
            ))}
            {names.map(name => (
              <th key={name} scope="colgroup" colSpan={2} title={name}>
                {name}
              </th>
            ))}
          </tr>
          <tr>
            {names.map(name => (
              <React.Fragment key={name}>
                <th scope="col">{trans.__('Last')}</th>
                <th scope="col">{trans.__('Best')}</th>
              </React.Fragment>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.id}>
              <th scope="row">
                <TaskCell row={row} onToggle={onToggle} open={open} trans={trans} />
              </th>
              {params.map(name => (
                <td key={name}>{`${row.task?.params[name] ?? ''}`}</td>
              ))}
              {names.map(name => (
                <Values key={name} curve={row.metrics.get(name)} top={bests.get(name) ?? null} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface ITaskCellProps extends Pick<ITableProps, 'onToggle' | 'open' | 'trans'> {
  row: ITableRow;
}

/** A checkbox that shows or hides the curves of a task, a sample of them, its state, and its name, which opens its terminal. */
function TaskCell({ row, onToggle, open, trans }: ITaskCellProps): JSX.Element {
  const { id, name, task, look, isShown } = row;
  return (
    <span className="jp-PtyTasks-metrics-task" data-ptytask={id}>
      <input
        type="checkbox"
        checked={isShown}
        aria-label={trans.__('Show the curves of %1', name)}
        onChange={() => onToggle(id)}
      />
      <svg className="jp-PtyTasks-metrics-line" viewBox="0 0 24 8" aria-hidden>
        <path d="M0 4H24" stroke={look.color} strokeDasharray={look.dash.join(' ')} />
      </svg>
      {task && <StateIcon state={task.state} trans={trans} />}
      {task && open ? (
        <button
          type="button"
          aria-label={trans.__('Open the terminal of %1', name)}
          onClick={() => open(id)}
        >
          <TaskName name={name} />
        </button>
      ) : (
        <TaskName name={name} />
      )}
      {!task && (
        <span
          className="jp-PtyTasks-metrics-gone"
          title={trans.__('The task no longer exists on the server.')}
        >
          {trans.__('deleted')}
        </span>
      )}
    </span>
  );
}

/** The last and the best value of a task; `top` is the best one of all tasks. */
function Values({ curve, top }: { curve?: ICurve; top: number | null }): JSX.Element {
  const own = curve ? best(curve) : null;
  return (
    <>
      <td data-finite={curve && Number.isFinite(curve.value)}>
        {curve ? numeral(curve.value) : ''}
      </td>
      <td>{own === null ? '' : own === top ? <b>{numeral(own)}</b> : numeral(own)}</td>
    </>
  );
}

/** Return the best value of a metric; null if there are no two tasks to compare. */
function bestOf(rows: readonly ITableRow[], name: string): number | null {
  const curves = rows.flatMap(({ metrics }) => metrics.get(name) ?? []);
  const values = curves.flatMap(curve => best(curve) ?? []);
  if (values.length < 2) {
    return null;
  }
  return curves[0].better === 'lower' ? Math.min(...values) : Math.max(...values);
}
