/** The connection of a terminal tab to its task (docs/protocol.md), as JupyterLab's terminal widget expects it. */

import type { ServerConnection, Terminal } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';

import { TaskError, type TaskApi } from '../services/api';
import { Acknowledger, Replays, type WhenDrawn } from './flowcontrol';
import { parse, socketUrl, withoutReplies, type ServerEvent } from '../services/protocol';
import { ReconnectingSocket } from './socket';
import type { ITask } from '../services/types/tasks';

/**
 * The state of the connection.
 *
 * - `lost`: interrupted; reconnecting automatically.
 * - `ended`: the task has ended and all output was received. There is no connection until the task is restarted.
 * - `gone`: the task was deleted.
 * - `off`: tasks are not available on the server. There is no automatic retry.
 */
export type Link = 'connecting' | 'connected' | 'lost' | 'ended' | 'gone' | 'off';

/** Characters of input that are buffered while connecting. */
const TYPED_AHEAD = 4096;

/** A connection to one task. It is opened by `connect` and closed by `dispose`, which does not affect the task. */
export class TaskConnection implements Terminal.ITerminalConnection {
  constructor(private readonly _options: TaskConnection.IOptions) {
    this.name = _options.id;
    const whenDrawn: WhenDrawn = done => this.whenDrawn(done);
    this._replays = new Replays(whenDrawn, () => {
      this._replaying.emit(null);
      this._catchUp();
    });
    this._newAcknowledger = () =>
      new Acknowledger(whenDrawn, offset => this._socket.send(['ack', offset]));
    this._socket = new ReconnectingSocket({
      WebSocket: this.serverSettings.WebSocket,
      url: () =>
        socketUrl(this.serverSettings, this.name, this._offset, _options.readonly === true),
      onOpening: () => this._onOpening(),
      onMessage: data => this._onMessage(data),
      onLost: wasAccepted => this._onLost(wasAccepted)
    });
  }

  /** The id of the task. */
  readonly name: string;

  /** Call back when the terminal has rendered everything received so far. The owner of the terminal replaces it. */
  whenDrawn: WhenDrawn = done => void setTimeout(done);

  get model(): Terminal.IModel {
    return { name: this.name };
  }

  get serverSettings(): ServerConnection.ISettings {
    return this._options.api.serverSettings;
  }

  /** Why the last input was rejected; null if it was not. */
  get refusal(): string | null {
    return this._refusal;
  }

  /** See Link. */
  get link(): Link {
    return this._link;
  }

  get connectionStatus(): Terminal.ConnectionStatus {
    if (this._link === 'connected') {
      return 'connected';
    }
    return ['ended', 'gone', 'off'].includes(this._link) ? 'disconnected' : 'connecting';
  }

  /** The task as last received on this connection; undefined before the first message. */
  get task(): ITask | undefined {
    return this._task;
  }

  /** Whether input is rejected, by request or by the server. */
  get isReadonly(): boolean {
    return this._isReadonly || this._options.readonly === true;
  }

  /** Whether a replay is not on the screen yet. */
  get isReplaying(): boolean {
    return this._replays.isDrawing;
  }

  /** Whether another viewer sets the size of the task's terminal. */
  get isFollowing(): boolean {
    const leader = this._task?.leader ?? null;
    return this._link === 'connected' && leader !== null && leader !== this._viewer;
  }

  get messageReceived(): ISignal<this, Terminal.IMessage> {
    return this._messageReceived;
  }

  get connectionStatusChanged(): ISignal<this, Terminal.ConnectionStatus> {
    return this._connectionStatusChanged;
  }

  /** Emitted when the link, the task or the permissions of this viewer change. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted with the size of a replay before it begins, and with null when all of it is on the screen. */
  get replaying(): ISignal<this, TaskConnection.ISize | null> {
    return this._replaying;
  }

  get disposed(): ISignal<this, void> {
    return this._disposed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._socket.dispose();
    this._disposed.emit();
    Signal.clearData(this);
  }

  /**
   * Connect now, and continue at the current offset: only missed output is sent. What the server sends is kept until the
   * terminal is `ready` for it.
   */
  connect(ready?: Promise<void>): void {
    if (this._isDisposed || this._link === 'gone') {
      return;
    }
    if (ready) {
      this._kept = [];
      void ready.then(() => {
        const kept = this._kept ?? [];
        this._kept = null;
        kept.forEach(data => this._onMessage(data));
      });
    }
    this._socket.open();
  }

  /** Connect and request a full replay. Resolves when connected. */
  reconnect(): Promise<void> {
    this._offset = null;
    this.connect();
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this._link === 'connected') {
          resolve();
        } else if (this._link === 'gone' || this._link === 'off') {
          reject(new Error(`Task ${this.name} does not exist`));
        } else {
          return;
        }
        this._changed.disconnect(look);
      };
      this._changed.connect(look);
      look();
    });
  }

  /** Ask the server whether the task still exists. If it does not answer, assume so. */
  async check(): Promise<void> {
    try {
      await this._options.api.get(this.name, { quiet: true });
    } catch (error) {
      const isKnown = error instanceof TaskError;
      if (isKnown && (error.code === 'task_not_found' || error.isLasting)) {
        this._socket.close();
        this._setLink(error.isLasting ? 'off' : 'gone');
      }
    }
  }

  send(message: Terminal.IMessage): void {
    const content = message.content ?? [];
    if (message.type === 'set_size') {
      // A terminal that is not visible yet has no size to set.
      if (Number(content[2]) > 0) {
        this._size = content;
        this._sendSize();
      }
    } else if (message.type === 'stdin' && typeof content[0] === 'string') {
      this._type(content[0]);
    }
  }

  /** Close the connection. The task keeps running. */
  shutdown(): Promise<void> {
    this.dispose();
    return Promise.resolve();
  }

  private _type(input: string): void {
    // No program waits for replies to the queries in the history.
    const text = this._replays.isDrawing ? withoutReplies(input) : input;
    if (this.isReadonly || !text) {
      return;
    }
    this._setRefusal(null);
    if (this._socket.isAccepted) {
      this._socket.send(['stdin', text]);
    } else if (this.connectionStatus === 'connecting') {
      this._typed = (this._typed + text).slice(0, TYPED_AHEAD);
    }
  }

  /** Note that the screen is up to date: no output for another size is pending. */
  private _catchUp(): void {
    this._isUpToDate = true;
    this._sendSize();
  }

  /** Send the size, but not during a replay: the program would draw for a size that the terminal does not have yet. */
  private _sendSize(): void {
    if (this._size && this._isUpToDate) {
      this._socket.send(['set_size', ...this._size]);
    }
  }

  private _onOpening(): void {
    this._kept &&= [];
    this._replays.end();
    this._isUpToDate = false;
    if (this._link !== 'lost') {
      this._setLink('connecting');
    }
  }

  private _onLost(wasAccepted: boolean): void {
    this._replays.end();
    this._setLink('lost');
    if (!wasAccepted) {
      // Browsers do not report why a handshake failed.
      void this.check();
    }
  }

  private _onMessage(data: unknown): void {
    if (this._kept) {
      this._kept.push(data);
      return;
    }
    const message = parse(data);
    switch (message?.[0]) {
      case 'setup':
        this._onSetup();
        break;
      case 'stdout':
        this._onOutput(message[1], message[2]);
        break;
      case 'ptytask':
        this._onEvent(message[1]);
        break;
      case 'disconnect':
        this._socket.close();
        this._setLink('ended');
        break;
    }
  }

  private _onOutput(text: string, offset: unknown): void {
    this._messageReceived.emit({ type: 'stdout', content: [text] });
    if (typeof offset === 'number') {
      // Not after rendering: the terminal renders everything it was given even if the connection is lost meanwhile.
      this._offset = offset;
      this._acknowledger?.push(offset);
    }
  }

  private _onSetup(): void {
    this._socket.accept();
    // Pending acknowledgments belong to the previous connection.
    this._acknowledger = this._newAcknowledger();
    this._setLink('connected');
    if (this._typed) {
      this._socket.send(['stdin', this._typed]);
      this._typed = '';
    }
  }

  private _onEvent(event: ServerEvent): void {
    switch (event.event) {
      case 'task':
        this._task = event.task;
        this._viewer = event.viewer;
        this._isReadonly = event.readonly;
        this._changed.emit();
        break;
      case 'replay':
        // An interrupted replay must start over.
        this._offset = null;
        this._isUpToDate = false;
        this._replays.begin();
        this._replaying.emit({ rows: event.rows, cols: event.cols });
        break;
      case 'replayed':
        this._offset = event.offset;
        this._replays.end();
        break;
      case 'resumed':
        this._catchUp();
        break;
      case 'refused':
        this._setRefusal(event.message);
        break;
    }
  }

  private _setRefusal(refusal: string | null): void {
    if (refusal !== this._refusal) {
      this._refusal = refusal;
      this._changed.emit();
    }
  }

  private _setLink(link: Link): void {
    if (link === this._link || this._isDisposed) {
      return;
    }
    const before = this.connectionStatus;
    this._link = link;
    if (before !== this.connectionStatus) {
      this._connectionStatusChanged.emit(this.connectionStatus);
    }
    this._changed.emit();
  }

  private _refusal: string | null = null;
  private readonly _socket: ReconnectingSocket;
  private readonly _replays: Replays;
  private readonly _newAcknowledger: () => Acknowledger;
  private _acknowledger: Acknowledger | undefined;
  private _link: Link = 'connecting';
  /** Messages that came before the terminal was ready; null once it is. */
  private _kept: unknown[] | null = null;
  private _offset: number | null = null;
  private _size: Terminal.IMessage['content'];
  private _isUpToDate = false;
  private _typed = '';
  private _task: ITask | undefined;
  private _viewer = '';
  private _isReadonly = false;
  private _isDisposed = false;
  private readonly _messageReceived = new Signal<this, Terminal.IMessage>(this);
  private readonly _connectionStatusChanged = new Signal<this, Terminal.ConnectionStatus>(this);
  private readonly _changed = new Signal<this, void>(this);
  private readonly _replaying = new Signal<this, TaskConnection.ISize | null>(this);
  private readonly _disposed = new Signal<this, void>(this);
}

export namespace TaskConnection {
  /** The REST calls used here. */
  export type IApi = Pick<TaskApi, 'serverSettings' | 'get'>;

  /** The size of a terminal. */
  export interface ISize {
    rows: number;
    cols: number;
  }

  export interface IOptions {
    /** The id of the task. */
    id: string;
    api: IApi;
    /** Whether to send no input. */
    readonly?: boolean;
  }
}
