/**
 * A task as in the REST API (docs/rest.md), and the output of a cell that refers to one. Like all responses, it is validated
 * once and trusted from then on.
 */

import { z } from 'zod';

import { metricsSchema, progressSchema, usageSchema, warningsSchema } from './measured';
import { resourcesSchema } from './places';
import { STATES } from './states';
import { word } from './values';

/** How a command ended. */
export const exitSchema = z.object({ code: z.number().nullable(), signal: z.string().nullable() });

/** Why a pending task does not run. */
export const waitSchema = z
  .object({
    /** 1 for the next task of its group; 0 if it waits for something other than its group. */
    position: z.number().catch(0),
    /** The reason in words. */
    text: z.string(),
    /** When it is expected to start; null if that is unknown. */
    starts: z.string().nullable().catch(null)
  })
  .nullable()
  .catch(null);

/** The input that the program of a task waits for; null if none, or unknown. */
export const questionSchema = z
  .object({
    kind: z.enum(['line', 'password', 'keys', 'shell']),
    /** The text before the cursor. */
    prompt: word,
    /** Since when it waits; identifies the question. */
    since: word,
    /** Whether this is certain rather than guessed from the last line. */
    sure: z.boolean().catch(false)
  })
  .nullable()
  .catch(null);

/** The commit that was checked out; `dirty` is null if that took too long to find out. */
export const gitSchema = z
  .object({
    commit: z.string(),
    branch: z.string().nullable().catch(null),
    dirty: z.boolean().nullable().catch(null)
  })
  .nullable()
  .catch(null);

export type IGit = NonNullable<z.infer<typeof gitSchema>>;

/** Additional fields, from a newer server, are ignored. */
export const taskSchema = z.object({
  id: z.string(),
  name: z.string(),
  command: z.union([z.string(), z.array(z.string())]),
  kind: z.enum(['command', 'shell']),
  /** Where it runs; `local` is the server's machine. */
  place: z.string().catch('local'),
  /** The resources that it requests there; empty if they were not requested with the list. */
  resources: resourcesSchema.catch({}),
  cwd: z.string(),
  state: z.enum(STATES),
  state_reason: z.string(),
  state_message: z.string(),
  exit: exitSchema.nullable(),
  attempt: z.number(),
  rows: z.number(),
  cols: z.number(),
  viewers: z.number(),
  leader: z.string().nullable(),
  waiting: questionSchema,
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
    /** The directory of the output on the server. */
    directory: z.string()
  }),
  group: z.string(),
  tags: z.array(z.string()),
  /** Whether automatic deletion spares it. */
  pinned: z.boolean().catch(false),
  /** Custom values of users, by name. */
  metadata: z.record(z.unknown()).catch({}),
  /** The number of processes that the command left running. */
  leftover: z.number().catch(0),
  queue: waitSchema,
  priority: z.number().catch(0),
  /** Orders the pending tasks of one priority; compared as text. */
  rank: word,
  /** The slots of its group that the task takes. */
  slots: z.number().catch(1),
  /** The sweep that it belongs to, and its parameters in that sweep. */
  sweep: z.object({ id: z.string(), name: z.string() }).nullable().catch(null),
  params: z.record(z.union([z.string(), z.number(), z.boolean()])).catch({}),
  /** Its job in a batch system; null if there is none. */
  job: z
    .object({
      node: z.string().nullable().catch(null),
      reason: z.string().nullable().catch(null),
      /** When it is expected to start. */
      starts: z.string().nullable().catch(null)
    })
    .nullable()
    .catch(null),
  /** The state of the git repository of its directory at the start; null outside of one. */
  git: gitSchema,
  /** The ETag of its notes, which changes with them; null without notes. */
  notes: z.string().nullable().catch(null),
  progress: progressSchema,
  metrics: metricsSchema,
  warnings: warningsSchema,
  usage: usageSchema
});

export type ITask = z.infer<typeof taskSchema>;

/** The output of a cell that refers to a task: the task and its last lines, as of `as_of` if known. */
export const bundleSchema = z.object({
  version: z.literal(1),
  task: taskSchema,
  tail: word,
  as_of: word
});

export type IBundle = z.infer<typeof bundleSchema>;

/** Return a command as one line for display. */
export function commandLine(task: Pick<ITask, 'command' | 'kind'>): string {
  return typeof task.command === 'string' ? task.command : task.command.join(' ');
}
