/** A server that is not there: what it is asked, and what it shall answer. */

import { ServerConnection } from '@jupyterlab/services';

/** What was asked; `path` is below the API's root. */
export interface IRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** What it answers: a status and a JSON value, or text as it is. Throwing means that it cannot be reached. */
export interface IAnswer {
  status?: number;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

const BASE = 'http://localhost:8888/user/ada/';
const ROOT = `${BASE}ptytasks/api/`;

/** Answers by `answer`, and keeps all `requests`. */
export class FakeServer {
  constructor(public answer: (request: IRequest) => IAnswer | Promise<IAnswer>) {}

  readonly requests: IRequest[] = [];

  readonly settings = ServerConnection.makeSettings({
    baseUrl: BASE,
    token: 'secret',
    fetch: async input => {
      const request = new Request(input);
      const url = new URL(request.url);
      expect(request.url.startsWith(ROOT)).toBe(true);
      const text = await request.text();
      const asked: IRequest = {
        method: request.method,
        path: url.pathname.slice(new URL(ROOT).pathname.length),
        query: url.searchParams,
        body: text ? JSON.parse(text) : undefined
      };
      this.requests.push(asked);
      const {
        status = 200,
        body,
        headers,
        text: said = JSON.stringify(body)
      } = await this.answer(asked);
      // Some statuses must not have a body.
      return new Response(status === 204 ? null : said, { status, headers });
    }
  });
}
