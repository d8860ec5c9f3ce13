/** Error responses, and the errors of a validation. */

import { z } from 'zod';

/** Return the fields that a validation error is about, without duplicates: `state`, `exit.code`. */
export function fieldsOf(error: z.ZodError): string[] {
  return [...new Set(error.issues.map(({ path }) => path.join('.')))].filter(field => field);
}

/** The body of an error response; `field` is the invalid part of the request. */
export const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  field: z.string().optional()
});
