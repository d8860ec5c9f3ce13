/** Places where tasks can run, and the resources that they can request there. */

import { z } from 'zod';

import { word } from './values';

/** The place that is the server's own machine. */
export const LOCAL = 'local';

/** A place where tasks can run. */
export const placeSchema = z.object({
  name: z.string(),
  kind: word,
  /** Null if it was not checked. */
  reachable: z.boolean().nullable().catch(null),
  /** Why it cannot be reached. */
  problem: z.string().nullable().catch(null),
  /** The command to log in with, if the user must do so. */
  login: z.string().nullable().catch(null),
  /** Whether its tasks can access the files of the server's machine. */
  shares_files: z.boolean().catch(false),
  /** Whether its tasks can be held, and wait for their turn. */
  queue: z.boolean().catch(false),
  /** The fields of `resources` that its tasks may have. */
  resources: z.array(z.string()).catch([])
});

export type IPlace = z.infer<typeof placeSchema>;

export const placesSchema = z.object({ places: z.array(placeSchema) });

/** The options of a batch system that tasks can choose from. */
export const placeOptionsSchema = z.object({
  partitions: z.array(z.object({ name: z.string(), default: z.boolean().catch(false) })).catch([]),
  accounts: z.array(z.string()).catch([]),
  qos: z.array(z.string()).catch([])
});

export type IPlaceOptions = z.infer<typeof placeOptionsSchema>;

/** The resources that a task requests at its place. */
export type IResources = Record<string, string | number | boolean | string[]>;

/** Validates resources that were stored or come from other extensions. */
export const resourcesSchema = z.record(
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])
);
