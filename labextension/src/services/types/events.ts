/** Events about one task, beside those of its state. */

import { z } from 'zod';

import { metricsSchema, progressSchema, usageSchema, warningsSchema } from './measured';
import { questionSchema } from './tasks';

/** A progress event about an attempt of a task. */
export const progressEventSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  progress: progressSchema,
  metrics: metricsSchema,
  warnings: warningsSchema,
  usage: usageSchema
});

/** An event about what the program of a task waits for, in one of its attempts. */
export const waitingEventSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  waiting: questionSchema
});
