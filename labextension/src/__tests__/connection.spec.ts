import { ServerConnection, type Terminal } from '@jupyterlab/services';

import { TaskError } from '../services/api';
import { TaskConnection } from '../terminal/connection';
import { taskSchema } from '../services/types/tasks';
import sample from '../../../tests/contract/task.json';

const task = taskSchema.parse(sample);

/** The server's side of docs/protocol.md. */
class FakeSocket {
  static opened: FakeSocket[] = [];

  static get last(): FakeSocket {
    const socket = FakeSocket.opened.at(-1);
    if (!socket) {
      throw new Error('No connection was tried');
    }
    return socket;
  }

  constructor(readonly url: string) {
    FakeSocket.opened.push(this);
  }

  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: unknown[][] = [];
  isClosed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as unknown[]);
  }

  close(): void {
    this.isClosed = true;
  }

  say(...message: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  event(event: string, about: Record<string, unknown> = {}): void {
    this.say('ptytask', { event, ...about });
  }

  tell(about: Record<string, unknown> = {}, viewer = 'me', readonly = false): void {
    this.event('task', { task: { ...sample, ...about }, viewer, readonly });
  }

  /** Lets the client in, with some history. */
  attach(offset = 100): void {
    this.say('setup', {});
    this.tell();
    this.event('replay', { offset, rows: 40, cols: 120 });
    this.say('stdout', '\x1bchistory\r\n');
    this.event('replayed', { offset, bytes: 11 });
  }

  break(): void {
    this.onclose?.();
  }

  ofKind(kind: string): unknown[][] {
    return this.sent.filter(message => message[0] === kind);
  }

  get query(): Record<string, string> {
    return Object.fromEntries(new URL(this.url).searchParams);
  }
}

describe('TaskConnection', () => {
  let connection: TaskConnection;
  let shown: string;
  let drawing: (() => void)[];
  let get: jest.Mock;

  const draw = () => drawing.splice(0).forEach(done => done());
  const type = (text: string) => connection.send({ type: 'stdin', content: [text] });
  const make = (readonly = false) => {
    const serverSettings = ServerConnection.makeSettings({
      wsUrl: 'ws://host/user/a/',
      token: 'secret',
      appendToken: true,
      WebSocket: FakeSocket as unknown as typeof WebSocket
    });
    connection = new TaskConnection({ id: task.id, api: { serverSettings, get }, readonly });
    connection.whenDrawn = done => void drawing.push(done);
    connection.messageReceived.connect((_, message: Terminal.IMessage) => {
      shown += `${message.content?.[0]}`;
    });
    connection.connect();
  };

  beforeEach(() => {
    jest.useFakeTimers();
    FakeSocket.opened = [];
    shown = '';
    drawing = [];
    get = jest.fn().mockResolvedValue(task);
    make();
  });

  afterEach(() => {
    connection.dispose();
    jest.useRealTimers();
  });

  it('goes to the task, with the token and flow control', () => {
    const { origin, pathname } = new URL(FakeSocket.last.url);
    expect(origin + pathname).toBe(`ws://host/user/a/ptytasks/terminals/websocket/${task.id}`);
    expect(FakeSocket.last.query).toEqual({ flow: 'ack', end: '0', token: 'secret' });
  });

  it('shows output, and reports the task', () => {
    FakeSocket.last.attach();
    FakeSocket.last.say('stdout', 'live', 104);
    expect(shown).toBe('\x1bchistory\r\nlive');
    expect(connection.connectionStatus).toBe('connected');
    expect(connection.task?.name).toBe(task.name);
  });

  it('keeps what comes before the terminal is ready', async () => {
    let onReady = () => {};
    connection.connect(new Promise<void>(resolve => (onReady = resolve)));
    FakeSocket.last.attach(50);
    expect([shown, connection.link]).toEqual(['', 'connecting']);
    // The server was killed meanwhile: what it sent counts no more.
    FakeSocket.last.break();
    jest.advanceTimersByTime(500);
    FakeSocket.last.attach();
    onReady();
    await Promise.resolve();
    expect([shown, connection.link]).toEqual(['\x1bchistory\r\n', 'connected']);
    FakeSocket.last.say('stdout', 'live', 104);
    expect(shown).toBe('\x1bchistory\r\nlive');
  });

  it('acknowledges what is drawn, and not before', () => {
    FakeSocket.last.attach();
    draw();
    FakeSocket.last.say('stdout', 'one', 103);
    FakeSocket.last.say('stdout', 'two', 106);
    expect(FakeSocket.last.ofKind('ack')).toEqual([]);
    draw();
    draw();
    expect(FakeSocket.last.ofKind('ack')).toEqual([['ack', 106]]);
  });

  it('leaves the page its turn while a flood is drawn', () => {
    FakeSocket.last.attach();
    draw();
    FakeSocket.last.say('stdout', 'much', 104);
    jest.advanceTimersByTime(50);
    draw();
    expect(FakeSocket.last.ofKind('ack')).toEqual([]);
    jest.advanceTimersByTime(60);
    expect(FakeSocket.last.ofKind('ack')).toEqual([['ack', 104]]);
  });

  it('comes again by itself, and asks only for what it missed', () => {
    FakeSocket.last.attach();
    FakeSocket.last.say('stdout', 'live', 104);
    FakeSocket.last.break();
    expect(connection.link).toBe('lost');
    jest.advanceTimersByTime(500);
    expect(FakeSocket.opened).toHaveLength(2);
    expect(FakeSocket.last.query.offset).toBe('104');
    FakeSocket.last.say('setup', {});
    FakeSocket.last.event('resumed', { offset: 104 });
    FakeSocket.last.say('stdout', ' on', 107);
    expect(shown).toBe('\x1bchistory\r\nlive on');
    expect(connection.link).toBe('connected');
  });

  it('has a history that was cut off come again', () => {
    FakeSocket.last.attach();
    FakeSocket.last.event('replay', { offset: 500, rows: 40, cols: 120 });
    FakeSocket.last.break();
    jest.advanceTimersByTime(500);
    expect(FakeSocket.last.query.offset).toBeUndefined();
  });

  it('does not give up, and is patient', () => {
    for (let tries = 1; tries < 20; tries++) {
      FakeSocket.last.break();
      jest.advanceTimersByTime(10_000);
      expect(FakeSocket.opened.length).toBeGreaterThan(tries);
    }
    const before = FakeSocket.opened.length;
    FakeSocket.last.break();
    jest.advanceTimersByTime(4_000);
    expect(FakeSocket.opened).toHaveLength(before);
    window.dispatchEvent(new Event('online'));
    expect(FakeSocket.opened).toHaveLength(before + 1);
  });

  it('gives up a server that does not say a word', () => {
    jest.advanceTimersByTime(15_000);
    expect(connection.link).toBe('lost');
    expect(FakeSocket.opened[0].isClosed).toBe(true);
  });

  it('says its size again to every new connection, but no size of a hidden terminal', () => {
    connection.send({ type: 'set_size', content: [24, 80, -1, -1] });
    connection.send({ type: 'set_size', content: [40, 120, 600, 900] });
    FakeSocket.last.attach();
    draw();
    FakeSocket.last.break();
    jest.advanceTimersByTime(500);
    FakeSocket.last.say('setup', {});
    FakeSocket.last.event('resumed', { offset: 100 });
    for (const socket of FakeSocket.opened) {
      expect(socket.ofKind('set_size')).toEqual([['set_size', 40, 120, 600, 900]]);
    }
  });

  it('says no size while history is drawn, which is for another, and then the newest', () => {
    connection.replaying.connect((_, size) => {
      if (!size) {
        connection.send({ type: 'set_size', content: [30, 133, 450, 1000] });
      }
    });
    connection.send({ type: 'set_size', content: [24, 80, 360, 600] });
    FakeSocket.last.attach();
    expect(FakeSocket.last.ofKind('set_size')).toEqual([]);
    draw();
    expect(FakeSocket.last.ofKind('set_size')).toEqual([['set_size', 30, 133, 450, 1000]]);
    FakeSocket.last.event('skipped', { bytes: 9 });
    FakeSocket.last.attach(900);
    connection.send({ type: 'set_size', content: [30, 90, 450, 700] });
    expect(FakeSocket.last.ofKind('set_size')).toHaveLength(1);
    draw();
    expect(FakeSocket.last.ofKind('set_size')).toHaveLength(2);
  });

  it('keeps what is typed ahead', () => {
    type('l');
    type('s\r');
    FakeSocket.last.attach();
    type('x');
    expect(FakeSocket.last.ofKind('stdin')).toEqual([
      ['stdin', 'ls\r'],
      ['stdin', 'x']
    ]);
  });

  it('answers no query of the history, but takes what is typed meanwhile', () => {
    FakeSocket.last.attach();
    ['\x1b[?1;2c', '\x1b[0n', '\x1b[12;1R', '\x1b]11;rgb:0/0/0\x1b\\', 'a', '\x1b[A'].forEach(type);
    draw();
    type('\x1b[?1;2c');
    expect(FakeSocket.last.ofKind('stdin').map(message => message[1])).toEqual([
      'a',
      '\x1b[A',
      '\x1b[?1;2c'
    ]);
  });

  it('says why input was refused, until something else is typed', () => {
    FakeSocket.last.attach();
    FakeSocket.last.event('refused', { reason: 'line_too_long', message: 'a line is too long' });
    expect(connection.refusal).toBe('a line is too long');
    type('x');
    expect(connection.refusal).toBeNull();
  });

  it('announces a replay, and when it is drawn', () => {
    const told: (TaskConnection.ISize | null)[] = [];
    connection.replaying.connect((_, size) => void told.push(size));
    FakeSocket.last.attach();
    expect(told).toEqual([{ rows: 40, cols: 120 }]);
    draw();
    expect(told).toEqual([{ rows: 40, cols: 120 }, null]);
  });

  it('types nothing when it only looks on', () => {
    connection.dispose();
    make(true);
    expect(FakeSocket.last.query.readonly).toBe('1');
    FakeSocket.last.attach();
    type('x');
    expect(FakeSocket.last.ofKind('stdin')).toEqual([]);
  });

  it('believes the server that it may only look on', () => {
    FakeSocket.last.attach();
    FakeSocket.last.tell({}, 'me', true);
    expect(connection.isReadonly).toBe(true);
  });

  it('knows whose size the terminal has', () => {
    FakeSocket.last.attach();
    expect(connection.isFollowing).toBe(false);
    FakeSocket.last.tell({ leader: 'somebody' });
    expect(connection.isFollowing).toBe(true);
    FakeSocket.last.tell({ leader: 'me' });
    expect(connection.isFollowing).toBe(false);
  });

  it('stays when the task has ended, and comes to life with a new attempt', async () => {
    FakeSocket.last.attach();
    FakeSocket.last.say('disconnect', 1);
    FakeSocket.last.break();
    jest.advanceTimersByTime(60_000);
    expect(connection.link).toBe('ended');
    expect(connection.isDisposed).toBe(false);
    expect(FakeSocket.opened).toHaveLength(1);
    const again = connection.reconnect();
    FakeSocket.last.attach();
    await again;
    expect(FakeSocket.last.query.offset).toBeUndefined();
    expect(connection.link).toBe('connected');
  });

  it('stops trying when the task was deleted', async () => {
    get.mockRejectedValue(new TaskError('no such task', 404, 'task_not_found'));
    FakeSocket.last.break();
    await Promise.resolve();
    await Promise.resolve();
    expect(connection.link).toBe('gone');
    jest.advanceTimersByTime(60_000);
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it.each([
    ['no extension', new TaskError('Not Found', 404, 'not_ours')],
    ['no terminals', new TaskError('Terminals are disabled', 503, 'disabled')]
  ])('stops trying where the server has %s, until it is told to', async (_, refusal) => {
    get.mockRejectedValue(refusal);
    FakeSocket.last.break();
    await Promise.resolve();
    await Promise.resolve();
    expect([connection.link, connection.connectionStatus]).toEqual(['off', 'disconnected']);
    jest.advanceTimersByTime(60_000);
    window.dispatchEvent(new Event('online'));
    expect(FakeSocket.opened).toHaveLength(1);
    connection.connect();
    FakeSocket.last.attach();
    expect(connection.link).toBe('connected');
  });

  it.each([
    ['pagehide', 'pageshow', () => window],
    ['freeze', 'resume', () => document]
  ] as const)('has no connection from %s to %s', (away, back, target) => {
    FakeSocket.last.attach();
    FakeSocket.last.say('stdout', 'live', 104);
    target().dispatchEvent(new Event(away));
    expect(FakeSocket.last.isClosed).toBe(true);
    window.dispatchEvent(new Event('online'));
    jest.advanceTimersByTime(60_000);
    expect(FakeSocket.opened).toHaveLength(1);
    target().dispatchEvent(new Event(back));
    expect(FakeSocket.opened).toHaveLength(2);
    expect(FakeSocket.last.query.offset).toBe('104');
    FakeSocket.last.say('setup', {});
    FakeSocket.last.event('resumed', { offset: 104 });
    expect(connection.link).toBe('connected');
    target().dispatchEvent(new Event(back));
    expect(FakeSocket.opened).toHaveLength(2);
  });

  it('tries again after the page was put away in the middle of a try, or between two', () => {
    window.dispatchEvent(new Event('pagehide'));
    window.dispatchEvent(new Event('pageshow'));
    expect(FakeSocket.opened).toHaveLength(2);
    FakeSocket.last.break();
    document.dispatchEvent(new Event('freeze'));
    window.dispatchEvent(new Event('pagehide'));
    jest.advanceTimersByTime(60_000);
    expect(FakeSocket.opened).toHaveLength(2);
    window.dispatchEvent(new Event('pageshow'));
    expect(FakeSocket.opened).toHaveLength(3);
  });

  it('does not come back to a task that has ended, nor once it is disposed', () => {
    FakeSocket.last.attach();
    FakeSocket.last.say('disconnect', 1);
    window.dispatchEvent(new Event('pagehide'));
    window.dispatchEvent(new Event('pageshow'));
    connection.dispose();
    window.dispatchEvent(new Event('pagehide'));
    window.dispatchEvent(new Event('pageshow'));
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it('asks nothing of the task when it is shut down', async () => {
    FakeSocket.last.attach();
    const socket = FakeSocket.last;
    await connection.shutdown();
    expect(socket.isClosed).toBe(true);
    expect(socket.sent).toEqual([]);
    expect(get).not.toHaveBeenCalled();
  });

  it('does not stumble over what it does not know', () => {
    FakeSocket.last.attach();
    FakeSocket.last.say('novelty', 1);
    FakeSocket.last.event('novelty');
    FakeSocket.last.onmessage?.({ data: '{}' });
    FakeSocket.last.say('stdout', 'on', 102);
    expect(shown).toContain('on');
  });
});
