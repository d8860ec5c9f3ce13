/** Turns tasks into rows: search, order and grouping. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { z } from 'zod';

import { exitLabel, stateLabel } from '../../format/times';
import { commandLine, isEnded, type ITask, type State } from '../../services/types';

export const GROUPINGS = ['none', 'state', 'group'] as const;

export type Grouping = (typeof GROUPINGS)[number];

/** The view options of the list. */
export interface IView {
  grouping: Grouping;
  /** The keys of collapsed headings. */
  collapsed: readonly string[];
}

export interface IHeading {
  kind: 'heading';
  key: string;
  label: string;
  count: number;
  isCollapsed: boolean;
}

export interface ITaskRow {
  kind: 'task';
  /** The id of the task. */
  key: string;
  task: ITask;
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
    exitLabel(task, trans)
  ]
    .join('\n')
    .toLocaleLowerCase();
  return words.every(word => text.includes(word));
}

/** Return the rows of the list: tasks that have not ended first, otherwise in the given order. */
export function listRows(
  tasks: readonly ITask[],
  query: string,
  view: IView,
  trans: TranslationBundle
): Row[] {
  const found = tasks.filter(task => matches(task, query, trans));
  const ordered = [...found.filter(task => !isEnded(task)), ...found.filter(isEnded)];
  if (view.grouping === 'none') {
    return ordered.map(taskRow);
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
  const names = view.grouping === 'state' ? STATE_ORDER : [...grouped.keys()].sort(compareNames);
  return names.flatMap((name): Row[] => {
    const members = grouped.get(name);
    if (!members) {
      return [];
    }
    const key = `${view.grouping}:${name}`;
    const isCollapsed = view.collapsed.includes(key);
    const label =
      view.grouping === 'state'
        ? stateLabel(members[0].state, trans)
        : name || trans.__('No group');
    const heading: IHeading = { kind: 'heading', key, label, count: members.length, isCollapsed };
    return isCollapsed ? [heading] : [heading, ...members.map(taskRow)];
  });
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

function taskRow(task: ITask): ITaskRow {
  return { kind: 'task', key: task.id, task };
}

/** Compare alphabetically, with the empty name last. */
function compareNames(a: string, b: string): number {
  if (!a || !b) {
    return a ? -1 : b ? 1 : 0;
  }
  return a.localeCompare(b, undefined, { numeric: true });
}

/** Return stored view options; undefined if they are invalid. */
export function readView(kept: unknown): IView | undefined {
  return viewSchema.safeParse(kept).data;
}

const viewSchema = z.object({ grouping: z.enum(GROUPINGS), collapsed: z.array(z.string()) });
