// JupyterLab's own client of terminals, driven by lines of JSON: each is [operation, ...arguments], and is answered by
// {"value"} or {"error"}. Connections are known by numbers.

import { createInterface } from 'node:readline';

import coreutils from '@jupyterlab/coreutils';
import services from '@jupyterlab/services';

const { ServerConnection, TerminalAPI, TerminalManager } = services;

// It tells of lost connections there, and we answer on standard output.
console.warn = console.error = console.log = () => {};

let manager;
let settings;
const connections = [];

/** A connection, and all that it was told. */
function keep(connection) {
  const kept = { connection, text: '', types: [], statuses: [connection.connectionStatus], disposed: false };
  connection.messageReceived.connect((_, message) => {
    kept.types.push(message.type);
    kept.text += message.type === 'stdout' ? message.content[0] : '';
  });
  connection.connectionStatusChanged.connect((_, status) => kept.statuses.push(status));
  connection.disposed.connect(() => (kept.disposed = true));
  connections.push(kept);
  return { number: connections.length - 1, name: connection.name, model: connection.model };
}

const models = () => [...manager.running()];

const operations = {
  /** Speaks to the server at `baseUrl` from now on, as a page that was opened there. */
  async open(baseUrl, token) {
    coreutils.PageConfig.setOption('terminalsAvailable', 'true');
    settings = ServerConnection.makeSettings({
      baseUrl,
      wsUrl: baseUrl.replace('http', 'ws'),
      token,
      appendToken: true
    });
    manager?.dispose();
    manager = new TerminalManager({ serverSettings: settings });
    await manager.ready;
    return { isReady: manager.isReady, isAvailable: manager.isAvailable(), running: models() };
  },
  /** What the list says, by the manager and by the calls below it. */
  async list() {
    await manager.refreshRunning();
    return { running: models(), api: await TerminalAPI.listRunning(settings) };
  },
  /** What the manager knows without asking. */
  running: () => models(),
  start: async options => keep(await manager.startNew(options)),
  apiStart: (name, cwd) => TerminalAPI.startNew(settings, name, cwd),
  connect: name => keep(manager.connectTo({ model: { name } })),
  clone: number => keep(connections[number].connection.clone()),
  send: (number, type, ...content) => connections[number].connection.send({ type, content }),
  /** What a connection was told and is. */
  look(number) {
    const { connection, text, types, statuses, disposed } = connections[number];
    return { text, types, statuses, disposed, status: connection.connectionStatus, isDisposed: connection.isDisposed };
  },
  /** As the browser notices it when a laptop wakes up. */
  async reconnect(number) {
    connections[number].text = '';
    await connections[number].connection.reconnect();
  },
  dispose: number => connections[number].connection.dispose(),
  close: number => connections[number].connection.shutdown(),
  shutdown: name => manager.shutdown(name),
  apiShutdown: name => TerminalAPI.shutdownTerminal(name, settings),
  shutdownAll: () => manager.shutdownAll()
};

for await (const line of createInterface({ input: process.stdin })) {
  const [operation, ...given] = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await operations[operation](...given)) ?? null };
  } catch (error) {
    answer = { error: `${error?.message ?? error}`, status: error?.response?.status ?? null };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
