/** Requests to the server. Responses are validated; errors are TaskErrors. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { z } from 'zod';

import { noteServerTime } from './clock';
import { errorSchema, fieldsOf } from './types/errors';

/** The path of this extension below the server's base URL. */
export const NAMESPACE = 'ptytasks';

/** The most invalid fields that an error message names. */
const FIELDS = 3;

/**
 * An error response of the server, or a failure to reach it. `status` is the HTTP status, 0 if there was no response; `code`
 * is stable between versions; `field` names the invalid part of the request.
 */
export class TaskError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly field?: string
  ) {
    super(message);
    this.name = 'TaskError';
  }

  /** The message without the REST API's name of the invalid field, for use next to that field. */
  get reason(): string {
    const prefix = `${this.field}: `;
    return this.message.startsWith(prefix) ? this.message.slice(prefix.length) : this.message;
  }

  /** Whether the server extension is disabled or not installed. */
  get isDisabled(): boolean {
    return this.status === 404 && this.code === 'not_ours';
  }

  /** Whether the server's configuration disables terminals, and tasks with them. */
  get isForbidden(): boolean {
    return this.code === 'disabled';
  }

  /** Whether a retry is pointless until the server's configuration is changed. */
  get isLasting(): boolean {
    return this.isDisabled || this.isForbidden;
  }
}

/** `quiet` requests, which the user did not cause, do not count as user activity. */
export interface IQuiet {
  quiet?: boolean;
}

/** A request. */
export interface IOptions extends IQuiet {
  headers?: Record<string, string>;
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

/** Requests to a server. All of them reject with a TaskError. */
export class RestClient {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /** Return a valid response. */
  async ask<T>(
    schema: z.ZodType<T, z.ZodTypeDef, unknown>,
    where: string,
    options: IOptions
  ): Promise<T> {
    return checked(schema, await this.request(where, options));
  }

  /** Return the JSON of a response; undefined if there is none. */
  async request(where: string, options: IOptions): Promise<unknown> {
    const text = await (await this.fetch(where, options)).text();
    return text ? json(text) : undefined;
  }

  /** Return a response with a successful status. */
  async fetch(where: string, options: IOptions): Promise<Response> {
    const query = { ...options.query, ...(options.quiet && { no_track_activity: '1' }) };
    const url = this._url(this._settings.baseUrl, where) + URLExt.objectToQueryString(query);
    const { method = 'GET', headers, signal } = options;
    const init: RequestInit = { method, headers, signal };
    if (options.body !== undefined) {
      init.body = options.body instanceof Blob ? options.body : JSON.stringify(options.body);
    }
    const sent = Date.now();
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (error) {
      throw new TaskError(`${error instanceof Error ? error.message : error}`, 0, 'unreachable');
    }
    noteServerTime(response.headers.get('Date'), sent, Date.now());
    if (response.ok) {
      return response;
    }
    const body = errorSchema.safeParse(json(await response.text()));
    if (body.success) {
      throw new TaskError(body.data.message, response.status, body.data.code, body.data.field);
    }
    throw new TaskError(
      response.statusText || `HTTP ${response.status}`,
      response.status,
      'not_ours'
    );
  }

  /** Return the URL for a download, with the token that it needs. */
  downloadUrl(where: string): string {
    const { baseUrl, token } = this._settings;
    const query = { download: '1', ...(token && { token }) };
    return this._url(baseUrl, where) + URLExt.objectToQueryString(query);
  }

  private _url(base: string, where: string): string {
    return URLExt.join(base, NAMESPACE, 'api', where);
  }
}

/** Parse JSON by a schema. Throws a TaskError if it does not match. */
export function checked<T>(schema: z.ZodType<T, z.ZodTypeDef, unknown>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const about = fieldsOf(parsed.error).slice(0, FIELDS).join(', ');
    const what = about ? `, for example: ${about}` : '';
    throw new TaskError(
      `The server's response does not match this version of the extension${what}.`,
      200,
      'garbled'
    );
  }
  return parsed.data;
}

/** Parse JSON; return undefined if it is invalid. NaN and infinities become null. */
function json(text: string): unknown {
  for (const candidate of [
    text,
    text.replace(NOT_JSON, found => (found[0] === '"' ? found : 'null'))
  ]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // Older servers wrote NaN and Infinity, as Python's json does by default.
    }
  }
  return undefined;
}

/** Matches strings, which are kept, and the values that Python writes for NaN and infinities. */
const NOT_JSON = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
