/** Turns tasks into rows: filter, search, order and grouping. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { z } from 'zod';

import { paramsLabel } from '../../format/queue';
import { elapsed, exitLabel, stateLabel } from '../../format/times';
import { reasonOf } from '../../format/why';
import { compareTurns, hasQueue, isQueue, standings, type IStanding } from '../../services/queue';
import { sweepStandings, type ISweepStanding } from '../../services/sweeps';
import type { IGroup } from '../../services/types/groups';
import { isActive, isEnded, isPending, type State } from '../../services/types/states';
import { commandLine, type ITask } from '../../services/types/tasks';

export const GROUPINGS = ['group', 'sweep', 'state', 'none'] as const;

export type Grouping = (typeof GROUPINGS)[number];

/** The orders of ended tasks: newest, most recently ended, longest, or alphabetically first. */
export const ORDERS = ['created', 'ended', 'duration', 'name'] as const;

export type Order = (typeof ORDERS)[number];

/** The view options of the list. */
export interface IView {
  grouping: Grouping;
  order: Order;
  /** Whether each task has one line only. */
  isCompact: boolean;
  /** The keys of collapsed headings. */
  collapsed: readonly string[];
}

/** The tasks that the list is limited to: given ones, or those with a tag. */
export type IFilter = { label: string; ids: readonly string[] } | { tag: string };

export interface IHeading {
  kind: 'heading';
  key: string;
  label: string;
  count: number;
  isCollapsed: boolean;
  /** The progress of the group; null for another heading. */
  standing: IStanding | null;
  /** The progress of the sweep; null for another heading. */
  sweep: ISweepStanding | null;
}

export interface ITaskRow {
  kind: 'task';
  /** The id of the task. */
  key: string;
  task: ITask;
  /** The name or, below its sweep, the parameters. */
  label: string;
}

export type Row = IHeading | ITaskRow;

/** The order of groups by state: those that need attention come first. */
export const STATE_ORDER: readonly State[] = [
  'running',
  'paused',
  'stopping',
  'starting',
  'queued',
  'held',
  'failed',
  'timed_out',
  'lost',
  'cancelled',
  'succeeded'
];

const ENDED: Readonly<Record<Order, (a: ITask, b: ITask) => number>> = {
  created: () => 0,
  ended: (a, b) => Date.parse(b.ended ?? b.created) - Date.parse(a.ended ?? a.created),
  duration: (a, b) => elapsed(b, 0) - elapsed(a, 0),
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })
};

/** Return whether a task passes a filter. */
function passes(task: ITask, filter: IFilter | null): boolean {
  return (
    filter === null ||
    ('tag' in filter ? task.tags.includes(filter.tag) : filter.ids.includes(task.id))
  );
}

/** Return whether every word of the query occurs in a task. */
export function matches(task: ITask, query: string, trans: TranslationBundle): boolean {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return true;
  }
  const text = [
    task.name,
    commandLine(task),
    task.group,
    ...task.tags,
    stateLabel(task.state, trans),
    exitLabel(task, trans),
    reasonOf(task)
  ]
    .join('\n')
    .toLocaleLowerCase();
  return words.every(word => text.includes(word));
}

/**
 * Return the rows of the list: active tasks first, then pending ones in the order of their turns, then ended ones in the order
 * of the view. Groups have headings only if they are in use; those with a queue also if they have no tasks.
 */
export function listRows(
  tasks: readonly ITask[],
  groups: readonly IGroup[],
  query: string,
  view: IView,
  trans: TranslationBundle,
  filter: IFilter | null = null
): Row[] {
  const found = tasks.filter(task => passes(task, filter) && matches(task, query, trans));
  const ordered = [
    ...found.filter(isActive),
    ...found.filter(isPending).sort(compareTurns),
    ...found.filter(isEnded).sort(ENDED[view.order])
  ];
  if (view.grouping === 'sweep') {
    return sweepRows(tasks, found, ordered, view, trans);
  }
  if (view.grouping === 'none' || (view.grouping === 'group' && !hasQueue(tasks, groups))) {
    return ordered.map(task => taskRow(task));
  }
  const grouped = new Map<string, ITask[]>();
  for (const task of ordered) {
    const name = view.grouping === 'state' ? task.state : task.group;
    const members = grouped.get(name);
    if (members) {
      members.push(task);
    } else {
      grouped.set(name, [task]);
    }
  }
  const known = view.grouping === 'group' ? standings(tasks, groups) : null;
  return [...(known?.keys() ?? STATE_ORDER)].flatMap((name): Row[] => {
    const members = grouped.get(name) ?? [];
    const standing = known?.get(name) ?? null;
    const isShown = standing !== null && (standing.total > 0 || isQueue(standing.group));
    if (members.length === 0 && (query || filter || !isShown)) {
      return [];
    }
    const key = headingKey(view.grouping, name);
    const isCollapsed = view.collapsed.includes(key);
    const label = standing ? name : stateLabel(members[0].state, trans);
    const count = members.length;
    const heading: IHeading = { ...HEADING, key, label, count, isCollapsed, standing };
    const rows = filter ? members.map(task => taskRow(task)) : labeled(members);
    return isCollapsed ? [heading] : [heading, ...rows];
  });
}

/** The minimum numbers of tasks, and of characters, for which a common prefix of their names is left out. */
const ALIKE = 3;
const BEGINNING = 8;

/** Return the rows of a whole section. A common prefix of the names, up to a separator, is left out: it distinguishes nothing. */
function labeled(members: readonly ITask[]): ITaskRow[] {
  let common = members[0]?.name ?? '';
  for (const { name } of members) {
    while (!name.startsWith(common)) {
      common = common.slice(0, -1);
    }
  }
  const length = Math.max(...['-', '_', '.', '/', ' '].map(end => common.lastIndexOf(end))) + 1;
  const isLeftOut =
    members.length >= ALIKE &&
    length >= BEGINNING &&
    members.every(({ name }) => name.length > length);
  return members.map(task => taskRow(task, isLeftOut ? `…${task.name.slice(length)}` : task.name));
}

const HEADING = { kind: 'heading', standing: null, sweep: null } as const;

/** Return the rows of all sweeps, each in the order of its parameters, then those of the other tasks in their order. */
function sweepRows(
  tasks: readonly ITask[],
  found: readonly ITask[],
  ordered: readonly ITask[],
  view: IView,
  trans: TranslationBundle
): Row[] {
  const section = (
    name: string,
    heading: Partial<IHeading>,
    members: readonly ITaskRow[]
  ): Row[] => {
    const key = headingKey('sweep', name);
    const isCollapsed = view.collapsed.includes(key);
    const count = members.length;
    const first = { ...HEADING, key, label: name, count, isCollapsed, ...heading };
    return count === 0 ? [] : isCollapsed ? [first] : [first, ...members];
  };
  const rows = [...sweepStandings(tasks).values()].flatMap(sweep => {
    const members = found
      .filter(task => task.sweep?.id === sweep.id)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const label = sweep.name;
    return section(
      sweep.id,
      { label, sweep },
      members.map(task => taskRow(task, paramsLabel(task)))
    );
  });
  const others = ordered.filter(task => !task.sweep).map(task => taskRow(task));
  return rows.length > 0
    ? [...rows, ...section('', { label: trans.__('Other tasks') }, others)]
    : others;
}

function headingKey(grouping: Grouping, name: string): string {
  return `${grouping}:${name}`;
}

/** Return the group of a heading with this key; null if it is not one of a group. */
export function groupOfHeading(key: string): string | null {
  const prefix = headingKey('group', '');
  return key.startsWith(prefix) ? key.slice(prefix.length) : null;
}

/** Return the id of the sweep of a heading with this key; null if it is not one of a sweep. */
export function sweepOfHeading(key: string): string | null {
  const prefix = headingKey('sweep', '');
  return (key.startsWith(prefix) && key.slice(prefix.length)) || null;
}

/** Return the view with this heading expanded or collapsed. */
export function toggled(view: IView, key: string): IView {
  const isCollapsed = view.collapsed.includes(key);
  return {
    ...view,
    collapsed: isCollapsed
      ? view.collapsed.filter(other => other !== key)
      : [...view.collapsed, key]
  };
}

function taskRow(task: ITask, label = task.name): ITaskRow {
  return { kind: 'task', key: task.id, task, label: label || task.name };
}

/** Return stored view options; undefined if they are invalid. */
export function readView(kept: unknown): IView | undefined {
  return viewSchema.safeParse(kept).data;
}

const viewSchema = z.object({
  grouping: z.enum(GROUPINGS),
  order: z.enum(ORDERS).catch('created'),
  isCompact: z.boolean().catch(false),
  collapsed: z.array(z.string())
});
