/** Values that several resources have. */

import { z } from 'zod';

/** Values that are only displayed: invalid or missing ones, from other versions of the server, are treated as unknown. */
export const amount = z.number().nullable().catch(null);

export const word = z.string().catch('');

/** A number; those that JSON has no word for are text that `Number` reads. */
export const numberSchema = z.union([z.number(), z.string().transform(Number)]);

/** A column of numbers. There may be many, so they are read without a check of each; what is no number becomes NaN. */
export const columnSchema = z
  .custom<unknown[]>(Array.isArray)
  .transform(found => found.map(Number));
