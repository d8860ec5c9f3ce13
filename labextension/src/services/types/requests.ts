/** The bodies of requests. */

import type { IGroup } from './groups';
import type { IResources } from './places';
import type { ITask } from './tasks';

/** What to do if a running task has the same name. */
export const IF_EXISTS = ['new', 'return', 'restart', 'fail'] as const;

/** How a task that another one waits for must have ended. */
export const WHEN = ['ok', 'any', 'failed'] as const;

export type When = (typeof WHEN)[number];

/** A request to start a task. Without a command it starts an interactive shell. */
export interface ITaskRequest {
  command?: string | string[];
  name?: string;
  cwd?: string;
  env?: Record<string, string>;
  group?: string;
  tags?: string[];
  /** The time limit in seconds. */
  timeout?: number;
  /** Whether the task waits until it is released. */
  hold?: boolean;
  /** The tasks that must have ended before. */
  after?: (string | { ref: string; when: When })[];
  /** The earliest start, in ISO 8601. */
  not_before?: string;
  /** GPUs of the task: whole ones, or a share of one below 1. */
  gpus?: number;
  /** How many times the task runs again if it fails. */
  retry?: { max: number };
  /** What to do if a running task has the same name. */
  if_exists?: (typeof IF_EXISTS)[number];
  /** Where it runs; by default on the server's machine. */
  place?: string;
  resources?: IResources;
}

/** The changes in a copy of a task; null removes a variable. */
export interface IAgain extends Pick<
  ITaskRequest,
  'command' | 'name' | 'cwd' | 'group' | 'tags' | 'hold' | 'gpus' | 'place'
> {
  env?: Record<string, string | null>;
  timeout?: number | null;
  resources?: IResources | null;
}

/** The input to type into a task: `data`, followed by Enter if `newline`; `secret` if it is a password. */
export interface IAnswer {
  data: string;
  newline: boolean;
  secret: boolean;
}

/** Tags to add and to remove, whatever others a task has by then. */
export interface ITagChanges {
  add_tags?: string[];
  remove_tags?: string[];
}

/** The fields of a task that can be changed. */
export type ITaskChanges = ITagChanges &
  Partial<Pick<ITask, 'name' | 'group' | 'pinned' | 'metadata'>>;

/** The fields of many tasks that can be changed at a time. */
export type IManyChanges = ITagChanges & Partial<Pick<ITask, 'pinned'>>;

/** The new place of a pending task in its group, or in another one. */
export type IPlacing = ({ before: string } | { after: string } | { to: 'first' | 'last' }) & {
  group?: string;
};

/** The fields of a group that can be changed. */
export type IGroupChanges = Partial<Pick<IGroup, 'slots' | 'paused' | 'reason'>>;
