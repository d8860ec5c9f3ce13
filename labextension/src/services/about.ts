/** Details of a task, its notes, and differences from other runs. Loaded on demand. */

import { z } from 'zod';

import type { TaskApi } from './api';
import { checked } from './rest';
import { STATES } from './types/states';
import { exitSchema, gitSchema } from './types/tasks';

const originSchema = z.object({ id: z.string(), host: z.string(), exported: z.string() });

/** The machine that an imported task ran on, its id there, and when it was exported. */
export type IOrigin = z.infer<typeof originSchema>;

const attemptSchema = z.object({
  attempt: z.number(),
  state: z.enum(STATES),
  state_reason: z.string(),
  state_message: z.string(),
  exit: exitSchema,
  started: z.string().nullable(),
  ended: z.string().nullable(),
  git: gitSchema
});

/** One attempt of a task. */
export type IAttempt = z.infer<typeof attemptSchema>;

const runSchema = z.object({ id: z.string(), name: z.string() });

export const detailsSchema = z.object({
  /** The current attempt is the last one. */
  attempts: z.array(attemptSchema),
  /** The names of the variables that were given. */
  environment: z.array(z.string()),
  /** The machine on which it runs or ran. */
  host: z.string().nullable(),
  /** Where an imported task comes from; null if it was started here. */
  imported: originSchema.nullable().catch(null),
  /** The bytes that its files use. */
  disk: z.number(),
  stop: z.array(z.object({ signal: z.string(), grace: z.number() })),
  /** The previous run. */
  before: runSchema.nullable()
});

export type IDetails = z.infer<typeof detailsSchema>;

const changeSchema = z.object({ field: z.string(), before: z.unknown(), after: z.unknown() });

/** A field that differs; null is a missing value. */
export type IChange = z.infer<typeof changeSchema>;

export const differenceSchema = z.object({
  with: runSchema.nullable(),
  changes: z.array(changeSchema),
  /** The names of variables. */
  environment: z.object({
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.string())
  })
});

export type IDifference = z.infer<typeof differenceSchema>;

/** The notes of a task, and their ETag, which is needed to replace them. */
export interface INotes {
  text: string;
  tag: string;
}

/** The requests about one task. They reject with a TaskError. */
export class TaskAbout {
  constructor(
    private readonly _api: Pick<TaskApi, 'about'>,
    private readonly _id: string
  ) {}

  details(): Promise<IDetails> {
    return this._read(detailsSchema, 'details');
  }

  /** Return the differences from another task, by default the previous run. */
  difference(other?: string): Promise<IDifference> {
    return this._read(differenceSchema, 'diff', other === undefined ? {} : { with: other });
  }

  async notes(): Promise<INotes> {
    const response = await this._api.about(this._id, 'notes', { quiet: true });
    const { notes } = z.object({ notes: z.string() }).parse(await response.json());
    return { text: notes, tag: response.headers.get('ETag') ?? '*' };
  }

  /** Replace the notes, and return their new ETag. Rejects with `notes_changed` if others have changed them since. */
  async write({ text, tag }: INotes): Promise<string> {
    const response = await this._api.about(this._id, 'notes', {
      method: 'PUT',
      headers: { 'If-Match': tag },
      body: { notes: text }
    });
    return response.headers.get('ETag') ?? '*';
  }

  private async _read<T>(
    schema: z.ZodType<T, z.ZodTypeDef, unknown>,
    verb: string,
    query: Record<string, string> = {}
  ): Promise<T> {
    const response = await this._api.about(this._id, verb, { quiet: true, query });
    return checked(schema, await response.json());
  }
}
