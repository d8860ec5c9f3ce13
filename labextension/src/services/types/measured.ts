/** What is measured while a task runs: progress, resource usage, metrics and warnings. */

import { z } from 'zod';

import { amount, columnSchema, numberSchema, word } from './values';

/** The progress of a task, from its output. */
export const progressSchema = z
  .object({
    /** 0 to 1; null if it is indeterminate. */
    fraction: amount,
    text: word,
    state: z.enum(['normal', 'error', 'paused', 'indeterminate']).catch('normal'),
    /** Seconds left, as of `updated`. */
    eta: amount,
    /** Nested counters, outermost first. */
    tracks: z.array(z.object({ total: amount })).catch([]),
    updated: word
  })
  .nullable()
  .catch(null);

export type IProgress = NonNullable<z.infer<typeof progressSchema>>;

/** Loads in percent of one core or device, memory in bytes. */
const measured = {
  cpu: amount,
  rss: amount,
  gpu_memory: amount,
  gpu_load: amount
};

const peakSchema = z.object(measured);

const usageObject = z.object({
  ...measured,
  /** Whether GPU values are for the task alone, or for everything on its devices. */
  gpu_scope: z.enum(['process', 'device']).nullable().catch(null),
  /** Seconds of all processes; null if that is not known. */
  cpu_time: amount,
  /** The highest values so far. */
  peak: peakSchema.catch(() => peakSchema.parse({}))
});

/** The resource usage of all processes of a task. */
export const usageSchema = usageObject.nullable().catch(null);

export type IUsage = z.infer<typeof usageObject>;

/** Whether lower or higher values of a metric are better. */
const betterSchema = z.enum(['lower', 'higher']).catch('lower');

export type Better = z.infer<typeof betterSchema>;

/** The most relevant metrics of a task, by name, in order; empty from older servers. */
export const metricsSchema = z
  .record(
    z.object({
      value: numberSchema,
      step: numberSchema,
      min: z.number().nullable(),
      max: z.number().nullable(),
      better: betterSchema,
      trend: z.array(z.number().nullable())
    })
  )
  .catch({});

export type IMetrics = z.infer<typeof metricsSchema>;

/** Problems of a task that has not failed. */
export const warningsSchema = z
  .array(
    z.object({
      kind: z.string(),
      message: word,
      /** Since when; null if unknown. */
      since: z.string().nullable().catch(null)
    })
  )
  .catch([]);

/** A metric of a task with its points, as columns of the same length; times are Unix seconds. */
const curveSchema = z.object({
  name: z.string(),
  value: numberSchema,
  min: z.number().nullable(),
  max: z.number().nullable(),
  better: betterSchema,
  steps: columnSchema,
  times: columnSchema,
  values: columnSchema
});

export type ICurve = z.infer<typeof curveSchema>;

/** The metrics of one attempt of a task, the most relevant first. */
export const curvesSchema = z.object({
  attempt: z.number(),
  /** The times (Unix seconds) at which output was lost. */
  gaps: z.array(z.number()).catch([]),
  metrics: z.array(curveSchema)
});

export type ICurves = z.infer<typeof curvesSchema>;

const sampleSchema = z.object({ time: z.string(), ...measured });

export type ISample = z.infer<typeof sampleSchema>;

/** The recent resource usage of a task, oldest sample first. */
export const statsSchema = z.object({ usage: usageSchema, samples: z.array(sampleSchema) });

export type IStats = z.infer<typeof statsSchema>;
