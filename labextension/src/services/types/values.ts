/** Schemas of values that several resources share. */

import { z } from 'zod';

/** Values that are only displayed: invalid or missing ones, from other versions of the server, are treated as unknown. */
export const amount = z.number().nullable().catch(null);

export const word = z.string().catch('');

/** A number; NaN and infinities, which JSON lacks, are strings that `Number` parses. */
export const numberSchema = z.union([z.number(), z.string().transform(Number)]);

/** A column of numbers. There may be many, so they are not validated one by one; other values become NaN. */
export const columnSchema = z
  .custom<unknown[]>(Array.isArray)
  .transform(found => found.map(Number));
