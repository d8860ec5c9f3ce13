import { TaskApi, TaskError } from '../services/api';
import { serverNow } from '../services/clock';
import { FakeServer } from './fakeserver';
import finished from '../../../tests/contract/finished.json';
import output from '../../../tests/contract/output.json';
import refusal from '../../../tests/contract/error.json';
import task from '../../../tests/contract/task.json';

function made(answer: FakeServer['answer']): { api: TaskApi; server: FakeServer } {
  const server = new FakeServer(answer);
  return { api: new TaskApi(server.settings), server };
}

async function refused(asked: Promise<unknown>): Promise<TaskError> {
  const error: unknown = await asked.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TaskError);
  return error as TaskError;
}

describe('TaskApi', () => {
  it('gathers all pages of the list', async () => {
    const { api, server } = made(({ query }) => ({
      body: query.has('cursor')
        ? { tasks: [finished], next_cursor: null }
        : { tasks: [task], next_cursor: task.id }
    }));
    expect((await api.list()).tasks.map(({ id }) => id)).toEqual([task.id, finished.id]);
    expect(server.requests.map(({ query }) => query.get('cursor'))).toEqual([null, task.id]);
  });

  it('leaves out of the list what makes no sense, and nothing else', async () => {
    const odd = { ...finished, id: 'odd', name: 'odd one', state: 'dreaming', attempt: null };
    const { api } = made(() => ({
      body: { tasks: [odd, task, 7, null, { id: 3 }], next_cursor: null, omitted: 2 }
    }));
    const { tasks, unreadable } = await api.list();
    expect(tasks.map(({ id }) => id)).toEqual([task.id]);
    expect(unreadable[0]).toEqual({ id: 'odd', label: 'odd one', fields: ['state', 'attempt'] });
    expect(unreadable.map(({ label }) => label)).toEqual(['odd one', '', '', '', '', '']);
  });

  it.each(['NaN', 'Infinity', '-Infinity'])('bears with %s, which is no JSON', async word => {
    const text = JSON.stringify({ tasks: [{ ...task, name: `a "${word}"` }], next_cursor: null });
    const { api } = made(() => ({ text: text.replace('"run":1', `"run": ${word}`) }));
    const { tasks, unreadable } = await api.list();
    expect(tasks.map(({ name }) => name)).toEqual([`a "${word}"`]);
    expect(unreadable).toEqual([]);
  });

  it('knows the clock of the server', async () => {
    const date = (ahead: number) => new Date(Date.now() + ahead).toUTCString();
    let ahead = 0;
    const { api } = made(() => ({ body: task, headers: { Date: date(ahead) } }));
    await api.get(task.id);
    expect(Math.abs(serverNow() - Date.now())).toBeLessThan(1500);
    for (ahead of [-300_000, 300_000]) {
      await api.get(task.id);
      expect(Math.abs(serverNow() - Date.now() - ahead)).toBeLessThan(2500);
    }
    ahead = 0;
    await api.get(task.id);
    expect(Math.abs(serverNow() - Date.now())).toBeLessThan(1500);
  });

  it('answers only if the program waits', async () => {
    const { api, server } = made(() => ({ body: { typed: 2, waiting: null } }));
    await api.answer('a1', { data: 'y', newline: true, secret: false });
    const body = { data: 'y', newline: true, only_if: 'waiting', secret: false };
    expect(server.requests).toMatchObject([{ method: 'POST', path: 'tasks/a1/input', body }]);
    const late = made(() => ({ status: 409, body: { code: 'not_waiting', message: 'too late' } }));
    const error = await refused(late.api.answer('a1', { data: '', newline: true, secret: true }));
    expect(error).toMatchObject({ status: 409, code: 'not_waiting' });
    const masked = { data: '', newline: true, only_if: 'password', secret: true };
    expect(late.server.requests).toMatchObject([{ body: masked }]);
  });

  it('says which requests no user caused', async () => {
    const { api, server } = made(() => ({ body: task }));
    await api.get(task.id, { quiet: true });
    await api.get(task.id);
    const said = server.requests.map(({ query }) => query.get('no_track_activity'));
    expect(said).toEqual(['1', null]);
  });

  it('changes groups and sweeps by one request each', async () => {
    const { api, server } = made(() => ({ status: 202, body: { changed: [] } }));
    await api.retryGroup('g p');
    await api.changeSweep('s', 'retry');
    await api.deleteSweep('s', true);
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST groups/g%20p/retry',
      'POST sweeps/s/retry',
      'DELETE sweeps/s'
    ]);
    expect(server.requests[2].query.get('stop')).toBe('1');
  });

  it('starts a task', async () => {
    const { api, server } = made(() => ({ status: 201, body: task }));
    const request = { command: 'python train.py', name: 'train', tags: ['gpu'] };
    expect((await api.create(request)).id).toBe(task.id);
    expect(server.requests).toMatchObject([{ method: 'POST', path: 'tasks', body: request }]);
  });

  it.each([
    ['stop', (api: TaskApi) => api.stop('a b'), {}],
    ['stop', (api: TaskApi) => api.stop('a b', ['SIGKILL']), { signals: ['SIGKILL'] }],
    ['pause', (api: TaskApi) => api.pause('a b'), {}],
    ['resume', (api: TaskApi) => api.resume('a b'), {}],
    ['restart', (api: TaskApi) => api.restart('a b'), {}],
    ['again', (api: TaskApi) => api.again('a b'), {}]
  ])('has the verb %s', async (verb, ask, body) => {
    const { api, server } = made(() => ({ status: 202, body: task }));
    await ask(api);
    expect(server.requests).toMatchObject([{ method: 'POST', path: `tasks/a%20b/${verb}`, body }]);
  });

  it('changes a task, and forgets it', async () => {
    const { api, server } = made(({ method }) =>
      method === 'DELETE' ? { status: 204 } : { body: task }
    );
    await api.update(task.id, { name: 'eval' });
    await api.delete(task.id);
    await api.delete(task.id, true);
    expect(server.requests.map(({ method, query }) => [method, query.get('stop')])).toEqual([
      ['PATCH', null],
      ['DELETE', null],
      ['DELETE', '1']
    ]);
    expect(server.requests[0]?.body).toEqual({ name: 'eval' });
  });

  it('reads the last lines', async () => {
    const { api, server } = made(() => ({ body: output }));
    expect((await api.tail(task.id, 3)).output).toBe('hello\n');
    const { path, query } = server.requests[0] ?? { path: '', query: new URLSearchParams() };
    expect(path).toBe(`tasks/${task.id}/output`);
    expect([query.get('mode'), query.get('tail_lines')]).toEqual(['tail', '3']);
  });

  it('says where the output can be downloaded', () => {
    const url = new URL(made(() => ({})).api.downloadUrl('abc'));
    expect(url.pathname).toBe('/user/ada/ptytasks/api/tasks/abc/output/raw');
    expect([url.searchParams.get('download'), url.searchParams.get('token')]).toEqual([
      '1',
      'secret'
    ]);
  });

  it('reports what the server refused, and the field to blame', async () => {
    const { api } = made(() => ({ status: 400, body: refusal }));
    const error = await refused(api.create({ cwd: 'no/such/place' }));
    expect(error).toMatchObject({ status: 400, code: 'bad_request', field: 'cwd' });
    expect(error.message).toBe(refusal.message);
    expect(error.isDisabled).toBe(false);
  });

  it.each([
    ['the extension is switched off', 404, '<html>404: Not Found</html>', true],
    ['a proxy answers', 502, 'Bad Gateway', false],
    ['the answer is of another kind', 403, '{"message": "Forbidden", "reason": null}', false]
  ])('knows that it is not our server who speaks: %s', async (_, status, text, isDisabled) => {
    const { api } = made(() => ({ status, text }));
    expect(await refused(api.list())).toMatchObject({ status, code: 'not_ours', isDisabled });
  });

  it('does not take a missing task for a missing extension', async () => {
    const body = { code: 'task_not_found', message: 'there is no task abc' };
    const { api } = made(() => ({ status: 404, body }));
    expect(await refused(api.get('abc'))).toMatchObject({ ...body, isDisabled: false });
  });

  it('knows that the settings of the server forbid terminals', async () => {
    const body = { code: 'disabled', message: 'Terminals are disabled on this server' };
    const { api } = made(() => ({ status: 503, body }));
    const expected = { ...body, isForbidden: true, isDisabled: false, isLasting: true };
    expect(await refused(api.list())).toMatchObject(expected);
  });

  it('says when there is no server', async () => {
    const { api } = made(() => {
      throw new TypeError('Failed to fetch');
    });
    expect(await refused(api.list())).toMatchObject({ status: 0, code: 'unreachable' });
  });

  it.each([
    ['is not JSON', { text: '<html>' }],
    ['is of no task', { body: { ...task, state: 'dreaming' } }],
    ['is nothing', { text: '' }]
  ])('lets no answer in that %s', async (_, answer) => {
    const { api } = made(() => answer);
    const error = await refused(api.get(task.id));
    expect(error.code).toBe('garbled');
    // In our words, and not in those of the library that has found it.
    expect(error.message).toMatch(/^The server's response does not match .*\.$/);
  });
});
