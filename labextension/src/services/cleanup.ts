/** Cleaning up: preview and deletion. Loaded on demand. */

import { z } from 'zod';

import type { TaskApi } from './api';
import { checked } from './rest';

/** The number of tasks that are kept, by reason. */
export const SPARED = [
  'running',
  'waiting',
  'pinned',
  'needed',
  'best',
  'newest',
  'unmeasured'
] as const;

const countsSchema = z.record(z.number());

export const cleanUpSchema = z.object({
  tasks: z.array(z.object({ id: z.string(), name: z.string(), size: z.number() })),
  /** The bytes that all of them use. */
  size: z.number(),
  spared: countsSchema
});

export type ICleanUp = z.infer<typeof cleanUpSchema>;

/** Return which finished tasks would be deleted; `query` as in docs/rest.md. */
export async function previewCleanUp(
  api: Pick<TaskApi, 'cleanUp'>,
  query: Record<string, string>
): Promise<ICleanUp> {
  return read(await api.cleanUp({ query }));
}

/** Delete exactly these tasks, all or none, and return what was deleted. */
export async function cleanUp(
  api: Pick<TaskApi, 'cleanUp'>,
  tasks: readonly string[]
): Promise<ICleanUp> {
  return read(await api.cleanUp({ method: 'POST', body: { tasks } }));
}

async function read(response: Response): Promise<ICleanUp> {
  return checked(cleanUpSchema, await response.json().catch(() => undefined));
}
