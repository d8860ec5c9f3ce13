/** The columns of the table of runs: their content, width, and sort key. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { endLabel } from '../../format/ends';
import { bytes } from '../../format/measures';
import { metricValue } from '../../format/numbers';
import { duration, elapsed, stateLabel } from '../../format/times';
import { warningLabel } from '../../format/warnings';
import type { IRun } from '../../services/runs';
import { DEFAULT_GROUP } from '../../services/types/groups';
import { isActive } from '../../services/types/states';
import { commandLine } from '../../services/types/tasks';
import { useNow } from '../hooks';
import { TaskName } from '../name';
import { Pin } from '../pin';
import { StateIcon } from '../state';
import { Tags } from '../tags';
import { WarningBadge } from '../warning';

export interface IColumn {
  id: string;
  label: string;
  /** In pixels. */
  width: number;
  /** The value of `sort` of `GET /tasks`. */
  sort: string;
  isNumber?: boolean;
  /** Return the text of a cell, also for its tooltip. */
  text: (run: IRun) => string;
  /** Return what is shown instead of the text. */
  show?: (run: IRun) => JSX.Element;
}

/** The most metrics and parameters that are shown by default. */
const USUAL_METRICS = 2;
const USUAL_PARAMS = 4;

/** The width of a heading in pixels: of a character, of the padding, and the minimum. */
const CHARACTER = 8;
const PADDING = 36;
const NARROWEST = 76;

/** The minimum width of the value of a metric. */
const VALUE = 92;

/** The number of first rows that determine the order of parameters and metrics. */
const LOOKED_AT = 200;

const MOMENT = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit'
});

const SHORT_COMMIT = 8;

/** The parameters and metrics that runs may have. */
export interface ITraits {
  params: readonly string[];
  metrics: readonly string[];
  /** The ids of the columns of the best values. */
  bests: readonly string[];
  hasTags: boolean;
}

/** Return the traits of runs. Names that come early in many runs come first: the server sorts metrics by relevance. */
export function traitsOf(all: readonly IRun[]): ITraits {
  const runs = all.slice(0, LOOKED_AT);
  const metrics = foremost(runs.map(run => run.metrics));
  const told = runs.flatMap(run => Object.entries(run.metrics));
  const low = new Set(told.filter(([, { better }]) => better === 'lower').map(([name]) => name));
  return {
    params: foremost(runs.map(({ params }) => params)),
    metrics,
    bests: metrics.map(name => `${low.has(name) ? 'min' : 'max'}.${name}`),
    hasTags: runs.some(({ tags }) => tags.length > 0)
  };
}

function foremost(objects: readonly object[]): string[] {
  const weights = new Map<string, number>();
  for (const one of objects) {
    Object.keys(one).forEach((name, at) => {
      weights.set(name, (weights.get(name) ?? 0) + 1 / (at + 1));
    });
  }
  return [...weights].sort(([, a], [, b]) => b - a).map(([name]) => name);
}

/** Return all columns for runs with these parameters and metrics. */
export function allColumns(
  { params, metrics, bests }: Omit<ITraits, 'hasTags'>,
  trans: TranslationBundle
): IColumn[] {
  return [
    ...fixedColumns(trans),
    ...params.map(paramColumn),
    ...metrics.flatMap(name => [
      lastColumn(name),
      ...bests.filter(id => metricOf(id) === name).map(id => bestColumn(id, trans))
    ])
  ];
}

/** Return the ids of the default columns: parameters, results, times. */
export function usualColumns({ params, metrics, bests, hasTags }: ITraits): string[] {
  const tried = params.slice(0, USUAL_PARAMS).map(name => paramColumn(name).id);
  const last = metrics.slice(0, USUAL_METRICS).map(name => lastColumn(name).id);
  const tags = hasTags ? ['tags'] : [];
  return [
    'name',
    ...tried,
    'state',
    ...bests.slice(0, 1),
    ...last,
    'duration',
    'why',
    'started',
    ...tags
  ];
}

function fixedColumns(trans: TranslationBundle): IColumn[] {
  return [
    {
      id: 'name',
      label: trans.__('Name'),
      width: 190,
      sort: 'name',
      text: run => run.name,
      show: run => (
        <span className="jp-PtyTasks-runs-name">
          <TaskName name={run.name} />
          {run.pinned && <Pin trans={trans} />}
        </span>
      )
    },
    {
      id: 'state',
      label: trans.__('State'),
      width: 186,
      sort: 'state',
      text: run =>
        [stateLabel(run.state, trans), warningLabel(run, trans)].filter(Boolean).join(', '),
      show: run => (
        <>
          <StateIcon state={run.state} trans={trans} />
          <span aria-hidden="true">{stateLabel(run.state, trans)}</span>{' '}
          <WarningBadge task={run} trans={trans} />
        </>
      )
    },
    moment('started', trans.__('Started'), run => run.started),
    moment('ended', trans.__('Ended'), run => run.ended),
    {
      id: 'duration',
      label: trans.__('Duration'),
      width: 88,
      sort: 'duration',
      isNumber: true,
      text: run => (run.started && run.ended ? duration(elapsed(run, 0)) : ''),
      show: run => (run.ended ? <>{duration(elapsed(run, 0))}</> : <RunningFor run={run} />)
    },
    {
      id: 'why',
      label: trans.__('End'),
      width: 260,
      sort: 'why',
      text: run => endLabel(run, trans)
    },
    {
      id: 'tags',
      label: trans.__('Tags'),
      width: 150,
      sort: 'tags',
      text: run => run.tags.join(', '),
      show: run => <Tags tags={run.tags} trans={trans} />
    },
    {
      id: 'group',
      label: trans.__('Group'),
      width: 110,
      sort: 'group',
      text: run => (run.group === DEFAULT_GROUP ? '' : run.group)
    },
    {
      id: 'command',
      label: trans.__('Command'),
      width: 260,
      sort: 'command',
      text: run => commandLine(run)
    },
    {
      id: 'memory',
      label: trans.__('Peak Memory'),
      width: 110,
      sort: 'memory',
      isNumber: true,
      text: run => (run.usage?.peak.rss ? bytes(run.usage.peak.rss) : '')
    },
    {
      id: 'git',
      label: trans.__('Git Commit'),
      width: 110,
      sort: 'git',
      text: ({ git }) =>
        git ? `${git.commit.slice(0, SHORT_COMMIT)}${git.dirty ? trans.__(' + changes') : ''}` : ''
    },
    { ...moment('created', trans.__('Created'), run => run.created) }
  ];
}

function moment(id: string, label: string, at: (run: IRun) => string | null): IColumn {
  const text = (run: IRun): string => {
    const time = at(run);
    return time ? MOMENT.format(new Date(time)) : '';
  };
  return { id, label, width: 150, sort: id, isNumber: true, text };
}

function paramColumn(name: string): IColumn {
  const id = `params.${name}`;
  const text = ({ params }: IRun): string => `${params[name] ?? ''}`;
  return { id, label: name, width: widthOf(name), sort: id, isNumber: true, text };
}

function lastColumn(name: string): IColumn {
  const id = `metrics.${name}`;
  const text = ({ metrics }: IRun): string =>
    metrics[name] ? metricValue(metrics[name].value) : '';
  return { id, label: name, width: Math.max(VALUE, widthOf(name)), sort: id, isNumber: true, text };
}

/** Return the column of the best value of a metric; `id` is `min.` or `max.` and the name of the metric. */
function bestColumn(id: string, trans: TranslationBundle): IColumn {
  const which = id.startsWith('min.') ? 'min' : 'max';
  const name = metricOf(id);
  const text = ({ metrics }: IRun): string => {
    const value = metrics[name]?.[which] ?? null;
    return value === null ? '' : metricValue(value);
  };
  const label = which === 'min' ? trans.__('%1 (lowest)', name) : trans.__('%1 (highest)', name);
  return { id, label, width: widthOf(label), sort: id, isNumber: true, text };
}

function metricOf(id: string): string {
  return id.slice(id.indexOf('.') + 1);
}

/** Return the width in pixels that the heading of a column needs. */
function widthOf(label: string): number {
  return Math.max(NARROWEST, PADDING + CHARACTER * label.length);
}

function RunningFor({ run }: { run: IRun }): JSX.Element {
  const now = useNow(isActive(run));
  return <>{run.started ? duration(elapsed(run, now)) : ''}</>;
}
