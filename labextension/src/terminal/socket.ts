/**
 * A websocket that reconnects: after a network failure, a server restart, or when the computer wakes up. It is closed while
 * the page is in the browser's back/forward cache or frozen: such a page cannot respond.
 */

/** Milliseconds before a retry, doubled each time, with jitter so that not all tabs reconnect at once. */
const SOONEST = 500;
const LATEST = 10_000;

/** Milliseconds in which the server must accept a connection. */
const PATIENCE = 15_000;

/** Retries until it is closed. */
export class ReconnectingSocket {
  constructor(private readonly _options: ReconnectingSocket.IOptions) {
    window.addEventListener('online', this._onOnline);
    document.addEventListener('visibilitychange', this._onVisible);
    window.addEventListener('pagehide', this._onPutAway);
    document.addEventListener('freeze', this._onPutAway);
    window.addEventListener('pageshow', this._onBrought);
    document.addEventListener('resume', this._onBrought);
  }

  /** Open a new connection now, and drop the current one. */
  open(): void {
    this.close();
    const socket = new this._options.WebSocket(this._options.url());
    this._socket = socket;
    socket.onmessage = (event: MessageEvent<unknown>) => this._options.onMessage(event.data);
    socket.onclose = () => this._lose();
    this._timer = setTimeout(() => this._lose(), PATIENCE);
    this._options.onOpening();
  }

  /** Note that the server has accepted the connection. */
  accept(): void {
    clearTimeout(this._timer);
    this._tries = 0;
    this._isAccepted = true;
  }

  /** Whether the server has accepted the connection. */
  get isAccepted(): boolean {
    return this._isAccepted;
  }

  /** Close the connection, and do not reconnect. */
  close(): void {
    clearTimeout(this._timer);
    this._isAccepted = this._isLost = this._isAway = false;
    const socket = this._socket;
    this._socket = null;
    if (socket) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  /** Send a message if connected; otherwise drop it. */
  send(message: unknown): void {
    if (this._isAccepted) {
      this._socket?.send(JSON.stringify(message));
    }
  }

  dispose(): void {
    window.removeEventListener('online', this._onOnline);
    document.removeEventListener('visibilitychange', this._onVisible);
    window.removeEventListener('pagehide', this._onPutAway);
    document.removeEventListener('freeze', this._onPutAway);
    window.removeEventListener('pageshow', this._onBrought);
    document.removeEventListener('resume', this._onBrought);
    this.close();
  }

  private _lose(): void {
    const wasAccepted = this._isAccepted;
    this.close();
    this._isLost = true;
    const pause = Math.min(SOONEST * 2 ** this._tries, LATEST);
    this._tries += 1;
    this._timer = setTimeout(() => this.open(), pause * (0.5 + Math.random() / 2));
    this._options.onLost(wasAccepted);
  }

  /** The network is back, perhaps a different one: the current connection may be dead without notice. */
  private readonly _onOnline = (): void => {
    if (this._isAccepted || this._isLost) {
      this.open();
    }
  };

  private readonly _onVisible = (): void => {
    if (!document.hidden && this._isLost) {
      this.open();
    }
  };

  /** The page enters the back/forward cache, is frozen, or is closed. */
  private readonly _onPutAway = (): void => {
    const wasWanted = this._socket !== null || this._isLost || this._isAway;
    this.close();
    this._isAway = wasWanted;
  };

  private readonly _onBrought = (): void => {
    if (this._isAway) {
      this.open();
    }
  };

  private _socket: WebSocket | null = null;
  private _isAccepted = false;
  private _isLost = false;
  /** Whether to reopen it when the page comes back. */
  private _isAway = false;
  private _tries = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace ReconnectingSocket {
  export interface IOptions {
    WebSocket: typeof WebSocket;
    /** Return the address; called before each attempt. */
    url: () => string;
    /** Called when an attempt starts. */
    onOpening: () => void;
    onMessage: (data: unknown) => void;
    /** Called when the connection was lost or rejected; a retry follows. */
    onLost: (wasAccepted: boolean) => void;
  }
}
