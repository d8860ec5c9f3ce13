/** The messages of a task's websocket (docs/protocol.md): unknown JSON goes in, what we understand of it comes out. */

import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { z } from 'zod';

import { NAMESPACE } from './api';
import { taskSchema } from './types';

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

/** What the server says of the task, of history, and of us. */
export type ServerEvent = z.infer<typeof event>;

/** What we understand of a message; null where that is nothing, as a newer server may have more to say. */
export function parse(data: unknown): z.infer<typeof message> | null {
  return message.safeParse(JSON.parse(`${data}`)).data ?? null;
}

/** Where a task's websocket is. `offset` is where to go on; null asks for history. */
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
    ...(offset !== null && { offset: `${offset}` }),
    ...(isReadonly && { readonly: '1' }),
    ...(appendToken && token && { token })
  };
  return URLExt.join(wsUrl, where) + URLExt.objectToQueryString(query);
}

/**
 * What a terminal types by itself when a program queries it (xterm's ctlseqs): device attributes, status and cursor position,
 * modes, window reports, keyboard flags, then DCS, APC and OSC. The same as core/terminal/replies.py: tests/contract/replies.json.
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

/** Return the part of the input that a person typed: the replies of the terminal to queries are left out. */
export function withoutReplies(text: string): string {
  return text.includes('\x1b') ? text.replace(REPLY, '') : text;
}
