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

/** What is only to be looked at: where it makes no sense, or an older server does not tell it, it is not known. */
const amount = z.number().nullable().catch(null);
const word = z.string().catch('');

/** How far a task is, as far as its output tells. */
const progressSchema = z
  .object({
    /** 0 to 1 of the whole; null where something moves and nobody knows how far it is. */
    fraction: amount,
    /** What its program says of it, for people. */
    text: word,
    state: z.enum(['normal', 'error', 'paused', 'indeterminate']).catch('normal'),
    /** Seconds that are left, counted from `updated`. */
    eta: amount,
    /** What is counted within what, the outermost first. */
    tracks: z.array(z.object({ total: amount })).catch([]),
    updated: word
  })
  .nullable()
  .catch(null);

export type IProgress = NonNullable<z.infer<typeof progressSchema>>;

/** Percents of one core, and bytes. */
const measured = {
  cpu: amount,
  rss: amount,
  gpu_memory: amount,
  gpu_load: amount
};

const peakSchema = z.object(measured);

const usageObject = z.object({
  ...measured,
  /** Whether what is said of a GPU is of the task alone, or of all that use the device. */
  gpu_scope: z.enum(['process', 'device']).nullable().catch(null),
  /** The highest values so far. */
  peak: peakSchema.catch(() => peakSchema.parse({}))
});

/** What the processes of a task need of the machine, all together. */
const usageSchema = usageObject.nullable().catch(null);

export type IUsage = z.infer<typeof usageObject>;

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
  tags: z.array(z.string()),
  /** Processes that its command left running when it ended. */
  leftover: z.number().catch(0),
  progress: progressSchema,
  usage: usageSchema
});

export type ITask = z.infer<typeof taskSchema>;

/** A page of the list. Its tasks are read one by one, by `readTasks`: one that makes no sense hides no other. */
export const pageSchema = z.object({
  tasks: z.array(z.unknown()),
  next_cursor: z.string().nullable(),
  /** Tasks that the server itself could not read. */
  omitted: z.number().catch(0)
});

/** A task of the list that cannot be shown, by what is known of it. */
export interface IUnreadable {
  /** Its id; empty where even that makes no sense. */
  id: string;
  /** Its name, or else its id; empty where neither makes sense. */
  label: string;
  /** The fields that make no sense. */
  fields: readonly string[];
}

/** The tasks among what the server lists, and what is left out. */
export function readTasks(found: readonly unknown[]): {
  tasks: ITask[];
  unreadable: IUnreadable[];
} {
  const tasks: ITask[] = [];
  const unreadable: IUnreadable[] = [];
  for (const one of found) {
    const parsed = taskSchema.safeParse(one);
    if (parsed.success) {
      tasks.push(parsed.data);
    } else {
      const { id, name } = nameSchema.parse(one);
      unreadable.push({ id, label: name || id, fields: fieldsOf(parsed.error) });
    }
  }
  return { tasks, unreadable };
}

const nameSchema = z.object({ id: word, name: word }).catch({ id: '', name: '' });

/** The fields that an error is about, each once: `state`, `exit.code`. */
export function fieldsOf(error: z.ZodError): string[] {
  return [...new Set(error.issues.map(({ path }) => path.join('.')))].filter(field => field);
}

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

const sampleSchema = z.object({ time: z.string(), ...measured });

export type ISample = z.infer<typeof sampleSchema>;

/** How the usage of a live task went lately: the oldest sample first. */
export const statsSchema = z.object({ usage: usageSchema, samples: z.array(sampleSchema) });

export type IStats = z.infer<typeof statsSchema>;

const storageSchema = z.object({ used: z.number(), limit: z.number().nullable() });

/** Bytes that the output of all tasks takes, and may take at most; null where there is no limit. */
export type IStorage = z.infer<typeof storageSchema>;

/** How the server is doing, as far as it matters here. */
export const statusSchema = z.object({ storage: storageSchema.nullable().catch(null) });

export type IStatus = z.infer<typeof statusSchema>;

/** What an event says of an attempt of a task that goes on. */
export const newsSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  progress: progressSchema,
  usage: usageSchema
});

export type INews = z.infer<typeof newsSchema>;

/** The output of a cell that refers to a task: the task and its last lines as they were at `as_of`, if that is known. */
export const bundleSchema = z.object({
  version: z.literal(1),
  task: taskSchema,
  tail: word,
  as_of: word
});

export type IBundle = z.infer<typeof bundleSchema>;

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
  /** What to do if a live task has the same name. */
  if_exists?: (typeof IF_EXISTS)[number];
}

/** What may be changed of a task. */
export type ITaskChanges = Partial<Pick<ITask, 'name' | 'tags' | 'group'>>;

const PENDING: ReadonlySet<State> = new Set(['held', 'queued']);
const ACTIVE: ReadonlySet<State> = new Set(['starting', 'running', 'paused', 'stopping']);

/** Return whether a task waits to be started. */
export function isPending(task: Pick<ITask, 'state'>): boolean {
  return PENDING.has(task.state);
}

/** Return whether a task has processes, or is about to. */
export function isActive(task: Pick<ITask, 'state'>): boolean {
  return ACTIVE.has(task.state);
}

/** Return whether a task has ended, successfully or not. */
export function isEnded(task: Pick<ITask, 'state'>): boolean {
  return !isPending(task) && !isActive(task);
}

/** Return whether a task has ended, neither successfully nor because it was stopped. */
export function wentWrong(task: Pick<ITask, 'state'>): boolean {
  return isEnded(task) && task.state !== 'succeeded' && task.state !== 'cancelled';
}

/** A command as one line to read. */
export function commandLine(task: Pick<ITask, 'command' | 'kind'>): string {
  return typeof task.command === 'string' ? task.command : task.command.join(' ');
}
