/** The output of a task: its lines, what its terminal showed, and why it has failed. */

import { z } from 'zod';

/** Lines of the output. */
export const outputSchema = z.object({
  output: z.string(),
  first_line: z.number(),
  next_line: z.number(),
  total_lines: z.number(),
  lines_omitted: z.number().optional(),
  more: z.boolean().optional(),
  ended: z.boolean(),
  line_numbers: z.array(z.number()).optional(),
  times: z.array(z.string().nullable()).optional()
});

export type IOutput = z.infer<typeof outputSchema>;

/** What a task's terminal showed at some moment. */
export const replaySchema = z.object({
  time: z.string(),
  first_time: z.string(),
  last_time: z.string(),
  rows: z.number(),
  cols: z.number(),
  data: z.string()
});

export type IReplay = z.infer<typeof replaySchema>;

/** Why a task failed, and the lines of its output that say so. */
export const whySchema = z.object({
  kind: z.string().nullable(),
  message: z.string(),
  lines: z.array(z.object({ line: z.number(), text: z.string() }))
});

export type IWhy = z.infer<typeof whySchema>;
