/** A task as the server tells of it (docs/rest.md), checked where it comes in: beyond this file it is what it says. */

import { z } from 'zod';

/** The states of a task, in the order in which it goes through them. */
export const STATES = [
  'held',
  'queued',
  'starting',
  'running',
  'paused',
  'stopping',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'lost'
] as const;

export type State = (typeof STATES)[number];

const exit = z.object({ code: z.number().nullable(), signal: z.string().nullable() });

/** Objects may hold more than is named here: a newer server is welcome. */
export const taskSchema = z.object({
  id: z.string(),
  name: z.string(),
  command: z.union([z.string(), z.array(z.string())]),
  kind: z.enum(['command', 'shell']),
  cwd: z.string(),
  state: z.enum(STATES),
  state_reason: z.string(),
  state_message: z.string(),
  exit: exit.nullable(),
  attempt: z.number(),
  rows: z.number(),
  cols: z.number(),
  viewers: z.number(),
  leader: z.string().nullable(),
  alive: z.boolean(),
  connected: z.boolean(),
  created: z.string(),
  started: z.string().nullable(),
  ended: z.string().nullable(),
  last_activity: z.string(),
  timeout: z.number().nullable(),
  output: z.object({
    start: z.number(),
    end: z.number(),
    lines: z.number(),
    lost: z.number(),
    /** Where the server keeps it. */
    directory: z.string()
  }),
  group: z.string(),
  tags: z.array(z.string())
});

export type ITask = z.infer<typeof taskSchema>;

export const pageSchema = z.object({
  tasks: z.array(taskSchema),
  next_cursor: z.string().nullable()
});

/** What went wrong, and the field of the request that is to blame. */
export const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  field: z.string().optional()
});

/** Some lines of the output. */
export const outputSchema = z.object({
  output: z.string(),
  first_line: z.number(),
  next_line: z.number(),
  total_lines: z.number(),
  ended: z.boolean()
});

export type IOutput = z.infer<typeof outputSchema>;

/** What a live task of the same name can mean to a new one. */
export const IF_EXISTS = ['new', 'return', 'restart', 'fail'] as const;

/** What a task is started with; all of it may be left out. Without a command an interactive shell is started. */
export interface ITaskRequest {
  command?: string | string[];
  name?: string;
  cwd?: string;
  env?: Record<string, string>;
  group?: string;
  tags?: string[];
  /** Seconds until it is stopped. */
  timeout?: number;
  /** What a live task of the same name means. */
  if_exists?: (typeof IF_EXISTS)[number];
}

/** What may be changed of a task. */
export type ITaskChanges = Partial<Pick<ITask, 'name' | 'tags' | 'group'>>;

const LIVE: ReadonlySet<State> = new Set([
  'held',
  'queued',
  'starting',
  'running',
  'paused',
  'stopping'
]);

/** Whether a task has not ended. */
export function isLive(task: Pick<ITask, 'state'>): boolean {
  return LIVE.has(task.state);
}

/** Whether it has ended otherwise than it should: not of itself with success, nor because somebody wanted it to. */
export function wentWrong(task: Pick<ITask, 'state'>): boolean {
  return !isLive(task) && task.state !== 'succeeded' && task.state !== 'cancelled';
}

/** A command as one line to read. */
export function commandLine(task: Pick<ITask, 'command' | 'kind'>): string {
  return typeof task.command === 'string' ? task.command : task.command.join(' ');
}
