/** Places where tasks can run, and what tasks can ask for there. */

import { z } from 'zod';

import { word } from './values';

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

/** What a task asks for at its place, by the fields of `resources`. */
export type IResources = Record<string, string | number | boolean | string[]>;

/** What is known of them that was stored, or given by others. */
export const resourcesSchema = z.record(
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])
);
