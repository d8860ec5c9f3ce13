/** The content of a metrics tab: controls, the table, and a chart for each metric. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useMemo, useRef } from 'react';

import { breaks, places, positive, smoothed } from '../../format/curves';
import type { CurveFollower } from '../../services/curves';
import type { ICurve } from '../../services/types/measured';
import { isEnded } from '../../services/types/states';
import { useSignalValue, useWatchedValue, type WatchedValue } from '../../services/watchedvalue';
import type { ITaskModel } from '../../tokens';
import { Stale } from '../panel/problems';
import { Chart, type ILine } from './chart';
import { Controls, type IDrawing } from './controls';
import { lineLook, type ILook } from './look';
import { MetricsTable, type ITableRow } from './table';

const NONE: readonly number[] = [];

export interface IMetricsViewProps {
  /** The ids of the tasks. */
  ids: readonly string[];
  /** The number of selected tasks that are not shown. */
  omitted: number;
  model: ITaskModel;
  follower: CurveFollower;
  drawing: WatchedValue<IDrawing>;
  look: WatchedValue<ILook | null>;
  /** The key of the common cursor. */
  group: string;
  /** Open the terminal of a task. */
  open?: (id: string) => void;
  trans: TranslationBundle;
}

export function MetricsView(props: IMetricsViewProps): JSX.Element | null {
  const { ids, omitted, model, follower, drawing: store, group, open, trans } = props;
  const drawing = useWatchedValue(store);
  const look = useWatchedValue(props.look);
  const tasks = useSignalValue(model.changed, () => model.tasks);
  const found = useFound(follower, ids);
  const problem = useSignalValue(follower.changed, () => follower.problem);
  const error = useSignalValue(model.changed, () => model.error);
  if (!look) {
    return null;
  }
  const byId = new Map(tasks.map(task => [task.id, task]));
  const rows = ids.map((id, at): ITableRow => ({
    id,
    name: follower.name(id),
    task: byId.get(id),
    look: lineLook(look, at),
    isShown: !drawing.hidden.includes(id),
    gaps: found[at]?.gaps ?? NONE,
    metrics: new Map((found[at]?.metrics ?? []).map(curve => [curve.name, curve]))
  }));
  const all = [...new Set(rows.flatMap(({ metrics }) => [...metrics.keys()]))];
  const wanted = drawing.filter.trim().toLowerCase();
  const names = all.filter(name => name.toLowerCase().includes(wanted));
  const isLoading = model.isReady && ids.some((id, at) => byId.has(id) && found[at] === null);
  const { filter } = drawing;
  const isBroken = rows.some(({ gaps, metrics }) => gaps.length > 0 && metrics.size > 0);
  const isOver = rows.every(({ task }) => task !== undefined && isEnded(task));
  const note = noteOf({ problem, isLoading, isOver, all, names, filter, omitted, isBroken, trans });
  return (
    <>
      <Controls store={store} drawing={drawing} trans={trans} />
      {error && <Stale error={error} trans={trans} onRetry={() => void model.refresh()} />}
      <div className="jp-PtyTasks-metrics-note" role="status" data-problem={problem !== ''}>
        {note}
      </div>
      {all.length > 0 && (
        <MetricsTable
          rows={rows}
          names={names}
          onToggle={id => (store.value = { ...drawing, hidden: toggled(drawing.hidden, id) })}
          open={open}
          trans={trans}
        />
      )}
      <div className="jp-PtyTasks-charts">
        {names.map(name => (
          <MetricChart
            key={name}
            name={name}
            rows={rows}
            drawing={drawing}
            look={look}
            group={group}
            trans={trans}
          />
        ))}
      </div>
    </>
  );
}

/** Return the metrics of each task. The list stays the same object until one of them changes. */
function useFound(follower: CurveFollower, ids: readonly string[]) {
  const last = useRef(ids.map(id => follower.get(id)));
  return useSignalValue(follower.changed, () => {
    const now = ids.map(id => follower.get(id));
    if (now.some((one, at) => one !== last.current[at])) {
      last.current = now;
    }
    return last.current;
  });
}

interface IMetricChartProps {
  name: string;
  rows: readonly ITableRow[];
  drawing: IDrawing;
  look: ILook;
  group: string;
  trans: TranslationBundle;
}

/** The chart of one metric. */
function MetricChart({ name, rows, drawing, look, group, trans }: IMetricChartProps): JSX.Element {
  const { axis, isLog, smoothing } = drawing;
  const shown = useSame(
    rows.flatMap(
      ({ name: label, task, look: { color, dash }, isShown, gaps, metrics }): Shown[] => {
        const curve = metrics.get(name);
        return curve && isShown
          ? [[curve, label, startOf(task?.started, curve), color, dash, gaps]]
          : [];
      }
    )
  );
  const lines = useMemo(
    () =>
      shown.map(([curve, label, began, color, dash, gaps]): ILine => {
        const at = places(curve, axis, began);
        const rough = smoothed(curve.values, 0);
        const values = smoothing > 0 ? smoothed(curve.values, smoothing) : rough;
        return {
          label,
          color,
          dash,
          places: at,
          breaks: breaks(curve, gaps, at),
          values: isLog ? positive(values) : values,
          rough: smoothing > 0 ? (isLog ? positive(rough) : rough) : null
        };
      }),
    [axis, isLog, smoothing, shown]
  );
  return <Chart {...{ name, lines, axis, isLog, look, group, trans }} />;
}

/** A curve that is shown: its points, label, start (Unix seconds), color, dashes, and when output was missing. */
type Shown = readonly [ICurve, string, number, string, number[], readonly number[]];

/** Return the previous list if its entries are the same, so that nothing is drawn again. */
function useSame(list: Shown[]): Shown[] {
  const last = useRef(list);
  const isSame =
    list.length === last.current.length &&
    list.every((entry, at) => entry.every((part, place) => part === last.current[at][place]));
  if (!isSame) {
    last.current = list;
  }
  return last.current;
}

/** Return the start of an attempt in Unix seconds; if unknown, the time of its first value. */
function startOf(started: string | null | undefined, curve: ICurve): number {
  return started ? Date.parse(started) / 1000 : (curve.times[0] ?? 0);
}

function toggled(list: readonly string[], id: string): string[] {
  return list.includes(id) ? list.filter(one => one !== id) : [...list, id];
}

interface INoteOptions {
  problem: string;
  isLoading: boolean;
  /** Whether all tasks have ended. */
  isOver: boolean;
  all: readonly string[];
  names: readonly string[];
  filter: string;
  omitted: number;
  /** Whether output is missing. */
  isBroken: boolean;
  trans: TranslationBundle;
}

/** Return why metrics or tasks are missing; empty if none are. */
function noteOf(options: INoteOptions): string {
  const { problem, isLoading, isOver, all, names, filter, omitted, isBroken, trans } = options;
  if (problem) {
    return trans.__('The metrics could not be loaded: %1', problem);
  }
  if (all.length === 0) {
    if (isLoading) {
      return trans.__('Loading…');
    }
    const none = isOver ? trans.__('No metrics.') : trans.__('No metrics yet.');
    const source = trans.__(
      'They are read from output that repeats a name with different numbers (“loss: 0.31”), or logged with jupyter_ptytasks.log(loss=0.31).'
    );
    return `${none} ${source}`;
  }
  if (names.length === 0) {
    return trans.__('No metric name contains “%1”.', filter);
  }
  const notes = [
    omitted > 0
      ? trans._n('%1 more task is not shown.', '%1 more tasks are not shown.', omitted)
      : '',
    isBroken
      ? trans.__('Some output was discarded before it was read. Dashed lines mark where.')
      : ''
  ];
  return notes.filter(Boolean).join(' ');
}
