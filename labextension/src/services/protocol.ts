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

/** What terminals type by themselves when a program asks them: attributes, status, position, size, modes, colours. */
const ANSWER = /^\x1b(?:\[[?>=]?[\d;]*(?:[cnRtu]|\$y)|[P\]_])/;

/** Whether nobody has typed this text: the terminal answers a program's query with it. */
export function isAnswer(text: string): boolean {
  return ANSWER.test(text);
}
