/** The status of the server. */

import { z } from 'zod';

const storageSchema = z.object({ used: z.number(), limit: z.number().nullable() });

/** The bytes used by the output of all tasks, and the limit; null if there is none. */
export type IStorage = z.infer<typeof storageSchema>;

/** The part of the server status that is used here. */
export const statusSchema = z.object({ storage: storageSchema.nullable().catch(null) });

export type IStatus = z.infer<typeof statusSchema>;
