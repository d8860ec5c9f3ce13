import { TextDecoder, TextEncoder } from 'util';

import { TaskError } from '../services/api';
import { nextHit, OutputSearch, type IHit } from '../services/outputsearch';
import { EVERYTHING, searchOf } from '../services/runsview';

const WANTED = { q: 'loss', isRegex: false, matchesCase: false };

function hit(task: string, line: number): string {
  return JSON.stringify({
    task,
    name: `name of ${task}`,
    line,
    offset: 0,
    text: 'loss',
    spans: [[0, 4]]
  });
}

const SUMMARY = JSON.stringify({
  hits: 3,
  tasks: 9,
  bytes: 1,
  unreadable: 0,
  reason: 'limit',
  message: null
});

/** A response whose body comes in these pieces; after them it stays open until it is aborted. */
function response(pieces: string[], signal: AbortSignal, isWhole = true): Response {
  const read = async () => {
    const piece = pieces.shift();
    if (piece !== undefined) {
      return { done: false, value: new TextEncoder().encode(piece) };
    }
    return isWhole
      ? { done: true, value: undefined }
      : new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(new Error('aborted')))
        );
  };
  return { body: { getReader: () => ({ read }) } } as unknown as Response;
}

describe('OutputSearch', () => {
  let api: { search: jest.Mock };
  let search: OutputSearch;
  const lines = () => search.found.map(({ id, hits }) => [id, hits.map(({ line }) => line)]);

  beforeAll(() => {
    Object.assign(globalThis, { TextDecoder });
  });

  beforeEach(() => {
    api = { search: jest.fn() };
    search = new OutputSearch(api);
  });

  afterEach(() => search.dispose());

  it('groups what is found by task, however it arrives', async () => {
    const all = [hit('a', 1), hit('a', 7), hit('b', 0), SUMMARY].join('\n') + '\n';
    const pieces = [all.slice(0, 50), all.slice(50, 300), all.slice(300)];
    api.search.mockImplementation(async (_, signal) => response(pieces, signal));
    const searching = search.start(WANTED, {}, 500);
    expect(search.state).toBe('searching');
    await searching;
    expect(search.state).toBe('done');
    expect(lines()).toEqual([
      ['a', [1, 7]],
      ['b', [0]]
    ]);
    expect(search.summary?.reason).toBe('limit');
  });

  it('knows where in its line a text begins, unless the server does not say it', async () => {
    const far = JSON.stringify({ ...JSON.parse(hit('a', 2)), start: 4960 });
    const pieces = [`${hit('a', 1)}\n${far}\n${SUMMARY}\n`];
    api.search.mockImplementation(async (_, signal) => response(pieces, signal));
    await search.start(WANTED, {}, 500);
    expect(search.found[0].hits.map(({ start }) => start)).toEqual([0, 4960]);
  });

  it('searches what the table shows', async () => {
    api.search.mockImplementation(async (_, signal) => response([], signal));
    const view = { ...EVERYTHING, sort: 'name', text: 'sweep', group: 'gpu', state: 'failed' };
    const wanted = { q: 'a.b', isRegex: true, matchesCase: true };
    await search.start(wanted, searchOf(view, 0), 500);
    expect(search.wanted).toBe(wanted);
    expect(api.search.mock.calls[0][0]).toEqual({
      q: 'a.b',
      regex: '1',
      limit: '500',
      group: 'gpu',
      state: 'failed',
      task_q: 'sweep'
    });
  });

  it('keeps what was found when it is stopped, and forgets it when it is closed', async () => {
    api.search.mockImplementation(async (_, signal) =>
      response([`${hit('a', 1)}\n`], signal, false)
    );
    const searching = search.start(WANTED, {}, 500);
    while (search.found.length === 0) {
      await new Promise(resolve => setTimeout(resolve));
    }
    search.stop();
    await searching;
    expect([search.state, search.error, lines()]).toEqual(['stopped', null, [['a', [1]]]]);
    search.close();
    expect([search.state, lines()]).toEqual(['idle', []]);
  });

  it('says why it failed', async () => {
    const error = new TaskError('q: is not a regular expression', 400, 'bad_request', 'q');
    api.search.mockRejectedValue(error);
    await search.start(WANTED, {}, 500);
    expect([search.state, search.error]).toEqual(['done', error]);
  });
});

describe('nextHit', () => {
  const hits = [3, 5, 9].map(line => ({ line }) as IHit);

  it('goes on from a line, and around the ends', () => {
    expect([0, 3, 4, 10].map(from => nextHit(hits, from, 1, true))).toEqual([0, 0, 1, 0]);
    expect([0, 4, 10].map(from => nextHit(hits, from, -1, true))).toEqual([2, 0, 2]);
    expect(nextHit([], 0, 1, true)).toBeNull();
  });

  it('waits for what may still come', () => {
    expect([4, 10].map(from => nextHit(hits, from, 1, false))).toEqual([1, null]);
    expect([0, 4, 10].map(from => nextHit(hits, from, -1, false))).toEqual([null, 0, null]);
  });
});
