/** The connection of a terminal tab to its task (docs/protocol.md), in the shape that Lab's terminal asks for. */

import type { ServerConnection, Terminal } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';

import { TaskError, type TaskApi } from '../services/api';
import { Acknowledger, Replays, type WhenDrawn } from './flowcontrol';
import { parse, socketUrl, withoutReplies, type ServerEvent } from '../services/protocol';
import { ReconnectingSocket } from './socket';
import type { ITask } from '../services/types';

/**
 * How things stand: `lost` is until a try succeeds; of an `ended` task all output has come, and there is no connection
 * until it is restarted; one that is `gone` has been deleted; with `off` the server has no tasks, and is not tried again
 * by itself.
 */
export type Link = 'connecting' | 'connected' | 'lost' | 'ended' | 'gone' | 'off';

/** Characters typed ahead that are kept for when there is a connection. */
const TYPED_AHEAD = 4096;

/** A connection to one task. Nothing happens before `connect`; `dispose` it, which leaves the task alone. */
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

  /** Calls back when the terminal has drawn all that was received so far; whoever has the terminal replaces it. */
  whenDrawn: WhenDrawn = done => void setTimeout(done);

  get model(): Terminal.IModel {
    return { name: this.name };
  }

  get serverSettings(): ServerConnection.ISettings {
    return this._options.api.serverSettings;
  }

  /** Why what was typed last was not typed; null if it was. */
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

  /** The task as the server told it here; undefined before the first word. */
  get task(): ITask | undefined {
    return this._task;
  }

  /** Whether input is refused: because that was asked for, or because the server says so. */
  get isReadonly(): boolean {
    return this._isReadonly || this._options.readonly === true;
  }

  /** Whether the task's terminal has the size that another viewer gives it. */
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

  /** Emitted when the link, or what the server tells of the task or of us, has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when history is about to come, drawn for that size; and with null when the last of it is on the screen. */
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

  /** Connects at once, and goes on where we are: only what was missed comes. */
  connect(): void {
    if (!this._isDisposed && this._link !== 'gone') {
      this._socket.open();
    }
  }

  /** Connects and has all the history drawn anew. Resolves when there is a connection. */
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

  /** Asks the server whether the task is still there; without an answer it is taken to be. */
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
      // A terminal that is not shown yet has no size of its own: it must not give it to the task.
      if (Number(content[2]) > 0) {
        this._size = content;
        this._tellSize();
      }
    } else if (message.type === 'stdin' && typeof content[0] === 'string') {
      this._type(content[0]);
    }
  }

  /** Closing a terminal does not end the task: that is what tasks are for. */
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

  /** Nothing that was drawn for another size is on its way any more. */
  private _catchUp(): void {
    this._isUpToDate = true;
    this._tellSize();
  }

  /** Not before the history is drawn: the program would draw for our size while the terminal still has the other. */
  private _tellSize(): void {
    if (this._size && this._isUpToDate) {
      this._socket.send(['set_size', ...this._size]);
    }
  }

  private _onOpening(): void {
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
      // A browser does not tell why a handshake was refused.
      void this.check();
    }
  }

  private _onMessage(data: unknown): void {
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
      // Not when it is drawn: the terminal draws all that it was given, also when the connection is lost meanwhile.
      this._offset = offset;
      this._acknowledger?.push(offset);
    }
  }

  private _onSetup(): void {
    this._socket.accept();
    // What the connection before this one has yet to acknowledge is nothing to this one.
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
        // A history that is cut off must come again from its beginning.
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
  /** What is asked of the REST calls. */
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
    /** Only look on. */
    readonly?: boolean;
  }
}
