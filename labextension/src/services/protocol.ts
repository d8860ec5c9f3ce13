/** The messages of a task's websocket (docs/protocol.md), validated. */

import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { z } from 'zod';

import { NAMESPACE } from './rest';
import { taskSchema } from './types/tasks';

const event = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('task'),
    task: taskSchema,
    viewer: z.string(),
    readonly: z.boolean()
  }),
  z.object({ event: z.literal('replay'), rows: z.number(), cols: z.number() }),
  z.object({ event: z.literal('replayed'), offset: z.number() }),
  z.object({ event: z.literal('resumed') }),
  z.object({ event: z.literal('refused'), message: z.string() })
]);

const message = z.union([
  z.tuple([z.literal('setup')]).rest(z.unknown()),
  z.tuple([z.literal('disconnect')]).rest(z.unknown()),
  z.tuple([z.literal('stdout'), z.string()]).rest(z.unknown()),
  z.tuple([z.literal('ptytask'), event])
]);

/** A message about the task, the replay, or this viewer. */
export type ServerEvent = z.infer<typeof event>;

/** Parse a message; return null for unknown ones, which a newer server may send. */
export function parse(data: unknown): z.infer<typeof message> | null {
  return message.safeParse(JSON.parse(`${data}`)).data ?? null;
}

/** Return the address of a task's websocket. `offset` is where to continue; null requests a replay. */
export function socketUrl(
  settings: ServerConnection.ISettings,
  id: string,
  offset: number | null,
  isReadonly: boolean
): string {
  const { wsUrl, token, appendToken } = settings;
  const where = URLExt.join(NAMESPACE, 'terminals/websocket', encodeURIComponent(id));
  const query: Record<string, string> = {
    flow: 'ack',
    // The banner says how the task ended.
    end: '0',
    ...(offset !== null && { offset: `${offset}` }),
    ...(isReadonly && { readonly: '1' }),
    ...(appendToken && token && { token })
  };
  return URLExt.join(wsUrl, where) + URLExt.objectToQueryString(query);
}

/**
 * Matches replies of a terminal to queries of a program (xterm's ctlseqs): device attributes, status and cursor position, modes,
 * window reports, keyboard flags, then DCS, APC and OSC. Equivalent to core/terminal/replies.py (tests/contract/replies.json).
 */
const REPLY = new RegExp(
  [
    '\\x1b\\[[?>=][0-9;]*c',
    '\\x1b\\[\\??[0-9;]*n',
    '\\x1b\\[\\??[0-9]+;[0-9]+R',
    '\\x1b\\[\\??[0-9;]*\\$y',
    '\\x1b\\[[0-9;]+t',
    '\\x1b\\[\\?[0-9]*u',
    '\\x1b[P_][^\\x1b]*\\x1b\\\\',
    '\\x1b\\][0-9][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\)'
  ].join('|'),
  'g'
);

/** Return the input without the terminal's replies to queries. */
export function withoutReplies(text: string): string {
  return text.includes('\x1b') ? text.replace(REPLY, '') : text;
}
