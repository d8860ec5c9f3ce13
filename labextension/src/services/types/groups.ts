/** Groups of tasks. */

import { z } from 'zod';

import { word } from './values';

/** A group of tasks, and its limits. */
export const groupSchema = z.object({
  name: z.string(),
  /** How many tasks may run at a time; null for no limit. */
  slots: z.number().nullable(),
  /** The GPUs that its tasks get; null if they only get those that they request. */
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

/** The group of tasks for which none is given. */
export const DEFAULT_GROUP = 'default';
