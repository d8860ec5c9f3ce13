/** Groups of tasks. */

import { z } from 'zod';

import { word } from './values';

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
