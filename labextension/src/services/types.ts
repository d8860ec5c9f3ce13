/** The data model of the REST API (docs/rest.md). Responses are validated here, and trusted everywhere else. */

import { z } from 'zod';

/** The states of a task, in their usual order. */
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

/** Values that are only displayed: invalid or missing ones, from other versions of the server, are treated as unknown. */
const amount = z.number().nullable().catch(null);
const word = z.string().catch('');

/** The progress of a task, from its output. */
const progressSchema = z
  .object({
    /** 0 to 1; null if it is indeterminate. */
    fraction: amount,
    /** A text of the program for display. */
    text: word,
    state: z.enum(['normal', 'error', 'paused', 'indeterminate']).catch('normal'),
    /** Seconds left, as of `updated`. */
    eta: amount,
    /** Nested counters, outermost first. */
    tracks: z.array(z.object({ total: amount })).catch([]),
    updated: word
  })
  .nullable()
  .catch(null);

export type IProgress = NonNullable<z.infer<typeof progressSchema>>;

/** Loads in percent of one core or device, memory in bytes. */
const measured = {
  cpu: amount,
  rss: amount,
  gpu_memory: amount,
  gpu_load: amount
};

const peakSchema = z.object(measured);

const usageObject = z.object({
  ...measured,
  /** Whether GPU values are for the task alone, or for everything on its devices. */
  gpu_scope: z.enum(['process', 'device']).nullable().catch(null),
  /** The highest values so far. */
  peak: peakSchema.catch(() => peakSchema.parse({}))
});

/** A number; those that JSON has no word for are text that `Number` reads. */
const numberSchema = z.union([z.number(), z.string().transform(Number)]);

/** Which values of a metric are the good ones. */
const betterSchema = z.enum(['lower', 'higher']).catch('lower');

export type Better = z.infer<typeof betterSchema>;

/** The most telling metrics of a task, by their names and in their order; older servers know of none. */
const metricsSchema = z
  .record(
    z.object({
      value: numberSchema,
      step: numberSchema,
      min: z.number().nullable(),
      max: z.number().nullable(),
      better: betterSchema,
      trend: z.array(z.number().nullable())
    })
  )
  .catch({});

/** What is wrong with a task though it has not failed. */
const warningsSchema = z
  .array(
    z.object({
      kind: z.string(),
      message: word,
      /** Since when; null if that is not known. */
      since: z.string().nullable().catch(null)
    })
  )
  .catch([]);

/** The resource usage of all processes of a task. */
const usageSchema = usageObject.nullable().catch(null);

export type IUsage = z.infer<typeof usageObject>;

export type IMetrics = z.infer<typeof metricsSchema>;

/** Why a pending task does not run. */
const waitSchema = z
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

/** What the program of a task waits for; null if it waits for no input, or that is not known. */
const questionSchema = z
  .object({
    kind: z.enum(['line', 'password', 'keys', 'shell']),
    /** The text before the cursor. */
    prompt: word,
    /** Since when it waits: another question has another time. */
    since: word,
    /** Whether that is known, and not guessed from the last line. */
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
  /** Whether it is kept until it is deleted by hand. */
  pinned: z.boolean().catch(false),
  /** What users have noted in their own words, by name. */
  metadata: z.record(z.unknown()).catch({}),
  /** The number of processes that the command left running. */
  leftover: z.number().catch(0),
  queue: waitSchema,
  priority: z.number().catch(0),
  /** Orders the pending tasks of one priority, as text. */
  rank: word,
  /** The slots of its group that the task takes. */
  slots: z.number().catch(1),
  /** The sweep that it belongs to, and the parameters that it has of that. */
  sweep: z.object({ id: z.string(), name: z.string() }).nullable().catch(null),
  params: z.record(z.union([z.string(), z.number(), z.boolean()])).catch({}),
  /** What a batch system knows of it; null if it has no job there. */
  job: z
    .object({
      node: z.string().nullable().catch(null),
      reason: z.string().nullable().catch(null),
      /** When it is expected to start. */
      starts: z.string().nullable().catch(null)
    })
    .nullable()
    .catch(null),
  /** What git said of its directory when it was started; null outside of a repository. */
  git: gitSchema,
  /** The tag of its notes, which changes with them; null without notes. */
  notes: z.string().nullable().catch(null),
  progress: progressSchema,
  metrics: metricsSchema,
  warnings: warningsSchema,
  usage: usageSchema
});

export type ITask = z.infer<typeof taskSchema>;

/** A group of tasks, and how many of them run at a time. */
export const groupSchema = z.object({
  name: z.string(),
  /** Null is no limit. */
  slots: z.number().nullable(),
  /** What GPUs its tasks get; null if they get none unless they ask. */
  gpus: z
    .union([z.literal('all'), z.array(z.string())])
    .nullable()
    .catch(null),
  paused: z.boolean(),
  /** Why it is paused, in words. */
  reason: word,
  /** When all of its tasks are expected to have ended; null if that is unknown. */
  ends: z.string().nullable().catch(null)
});

export type IGroup = z.infer<typeof groupSchema>;

export const groupsSchema = z.object({ groups: z.array(groupSchema) });

/** The group of tasks that name none. */
export const DEFAULT_GROUP = 'default';

/** The place that is the server's own machine. */
export const LOCAL = 'local';

/** A place where tasks can run. */
export const placeSchema = z.object({
  name: z.string(),
  kind: word,
  /** Null if it was not tried. */
  reachable: z.boolean().nullable().catch(null),
  /** Why it cannot be reached. */
  problem: z.string().nullable().catch(null),
  /** The command that logs in, where somebody has to. */
  login: z.string().nullable().catch(null),
  /** Whether its tasks see the files of the server's machine. */
  shares_files: z.boolean().catch(false),
  /** Whether its tasks can be held, and wait for their turn. */
  queue: z.boolean().catch(false),
  /** The fields of `resources` that its tasks may have. */
  resources: z.array(z.string()).catch([])
});

export type IPlace = z.infer<typeof placeSchema>;

export const placesSchema = z.object({ places: z.array(placeSchema) });

/** What tasks can choose from at a place. */
export const placeOptionsSchema = z.object({
  partitions: z.array(z.object({ name: z.string(), default: z.boolean().catch(false) })).catch([]),
  accounts: z.array(z.string()).catch([]),
  qos: z.array(z.string()).catch([])
});

export type IPlaceOptions = z.infer<typeof placeOptionsSchema>;

/** A page of the list. `readTasks` validates the tasks one by one, so that an invalid one does not hide the others. */
export const pageSchema = z.object({
  tasks: z.array(z.unknown()),
  next_cursor: z.string().nullable(),
  /** The number of tasks that the server could not read. */
  omitted: z.number().catch(0),
  /** What changes since then are requested with; null from servers that do not tell any. */
  revision: z.string().nullable().catch(null)
});

export type IPage = z.infer<typeof pageSchema>;

/** What has changed in the list since a revision. If that is not `complete`, the list has to be requested. */
export const changesSchema = z.object({
  complete: z.boolean(),
  tasks: z.array(z.unknown()),
  deleted: z.array(z.string()),
  /** Why other pending tasks do not run, by id. */
  waits: z.record(waitSchema),
  revision: z.string()
});

/** A task in the list that cannot be read. */
export interface IUnreadable {
  /** The id; empty if it is invalid too. */
  id: string;
  /** The name or else the id; empty if both are invalid. */
  label: string;
  /** The invalid fields. */
  fields: readonly string[];
}

/** Validate the tasks of a list, and return those that are valid and those that are not. */
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

/** Return the fields that a validation error is about, without duplicates: `state`, `exit.code`. */
export function fieldsOf(error: z.ZodError): string[] {
  return [...new Set(error.issues.map(({ path }) => path.join('.')))].filter(field => field);
}

/** The body of an error response; `field` is the invalid part of the request. */
export const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  field: z.string().optional()
});

/** Lines of the output. */
export const outputSchema = z.object({
  output: z.string(),
  first_line: z.number(),
  next_line: z.number(),
  total_lines: z.number(),
  lines_omitted: z.number().optional(),
  more: z.boolean().optional(),
  ended: z.boolean(),
  line_numbers: z.array(z.number()).optional(),
  times: z.array(z.string().nullable()).optional()
});

export type IOutput = z.infer<typeof outputSchema>;

/** What a task's terminal showed at some moment. */
export const replaySchema = z.object({
  time: z.string(),
  first_time: z.string(),
  last_time: z.string(),
  rows: z.number(),
  cols: z.number(),
  data: z.string()
});

export type IReplay = z.infer<typeof replaySchema>;

/** Why a task has failed, and the lines of its output that say it. */
export const whySchema = z.object({
  kind: z.string().nullable(),
  message: z.string(),
  lines: z.array(z.object({ line: z.number(), text: z.string() }))
});

export type IWhy = z.infer<typeof whySchema>;

/** A column of numbers. There may be many, so they are read without a check of each; what is no number becomes NaN. */
const columnSchema = z.custom<unknown[]>(Array.isArray).transform(found => found.map(Number));

/** A metric of a task with its points, as columns of the same length; times are Unix seconds. */
const curveSchema = z.object({
  name: z.string(),
  value: numberSchema,
  min: z.number().nullable(),
  max: z.number().nullable(),
  better: betterSchema,
  steps: columnSchema,
  times: columnSchema,
  values: columnSchema
});

export type ICurve = z.infer<typeof curveSchema>;

/** The metrics of one attempt of a task, the most telling first. */
export const curvesSchema = z.object({
  attempt: z.number(),
  /** When output was missing. */
  gaps: z.array(z.number()).catch([]),
  metrics: z.array(curveSchema)
});

export type ICurves = z.infer<typeof curvesSchema>;

const sampleSchema = z.object({ time: z.string(), ...measured });

export type ISample = z.infer<typeof sampleSchema>;

/** The recent resource usage of a task, oldest sample first. */
export const statsSchema = z.object({ usage: usageSchema, samples: z.array(sampleSchema) });

export type IStats = z.infer<typeof statsSchema>;

const storageSchema = z.object({ used: z.number(), limit: z.number().nullable() });

/** The bytes used by the output of all tasks, and the limit; null if there is none. */
export type IStorage = z.infer<typeof storageSchema>;

/** The part of the server status that is used here. */
export const statusSchema = z.object({ storage: storageSchema.nullable().catch(null) });

export type IStatus = z.infer<typeof statusSchema>;

/** A progress event about an attempt of a task. */
export const progressEventSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  progress: progressSchema,
  metrics: metricsSchema,
  warnings: warningsSchema,
  usage: usageSchema
});

export type IProgressEvent = z.infer<typeof progressEventSchema>;

/** An event about what the program of a task waits for, in one of its attempts. */
export const waitingEventSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  waiting: questionSchema
});

/** The output of a cell that refers to a task: the task and its last lines as they were at `as_of`, if that is known. */
export const bundleSchema = z.object({
  version: z.literal(1),
  task: taskSchema,
  tail: word,
  as_of: word
});

export type IBundle = z.infer<typeof bundleSchema>;

/** What to do if a running task has the same name. */
export const IF_EXISTS = ['new', 'return', 'restart', 'fail'] as const;

/** How a task that another one waits for must have ended. */
export const WHEN = ['ok', 'any', 'failed'] as const;

export type When = (typeof WHEN)[number];

/** What a task asks for at its place, by the fields of `resources`. */
export type IResources = Record<string, string | number | boolean | string[]>;

/** What is known of them that was stored, or given by others. */
export const resourcesSchema = z.record(
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])
);

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

/** What is different in a task like another one; null takes a variable away. */
export interface IAgain extends Pick<
  ITaskRequest,
  'command' | 'name' | 'cwd' | 'group' | 'tags' | 'hold' | 'gpus'
> {
  env?: Record<string, string | null>;
  timeout?: number | null;
}

/** What to type into a task: `data`, with Enter behind it if `newline`; `secret` if it is a password. */
export interface IAnswer {
  data: string;
  newline: boolean;
  secret: boolean;
}

/** The fields of a task that can be changed. */
export type ITaskChanges = Partial<Pick<ITask, 'name' | 'tags' | 'group' | 'pinned' | 'metadata'>>;

/** The new place of a pending task in its group, or in another one. */
export type IPlacing = ({ before: string } | { after: string } | { to: 'first' | 'last' }) & {
  group?: string;
};

/** The fields of a group that can be changed. */
export type IGroupChanges = Partial<Pick<IGroup, 'slots' | 'paused' | 'reason'>>;

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

/** Return a command as one line for display. */
export function commandLine(task: Pick<ITask, 'command' | 'kind'>): string {
  return typeof task.command === 'string' ? task.command : task.command.join(' ');
}
