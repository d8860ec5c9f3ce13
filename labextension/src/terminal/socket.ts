/**
 * A websocket that comes again: after a blip, after a restart of the server, after a night's sleep of the laptop. A page that
 * the browser puts away, to bring it back later, has none: nobody sees it, and it could not even close it.
 */

/** Milliseconds before another try: doubled from the first to the last, and varied, lest all tabs come at once. */
const SOONEST = 500;
const LATEST = 10_000;

/** Milliseconds after which a server that has not said a word is tried anew. */
const PATIENCE = 15_000;

/** Tries for ever, unless it is closed. `dispose` it. */
export class ReconnectingSocket {
  constructor(private readonly _options: ReconnectingSocket.IOptions) {
    window.addEventListener('online', this._onOnline);
    document.addEventListener('visibilitychange', this._onVisible);
    window.addEventListener('pagehide', this._onPutAway);
    document.addEventListener('freeze', this._onPutAway);
    window.addEventListener('pageshow', this._onBrought);
    document.addEventListener('resume', this._onBrought);
  }

  /** Opens a new connection at once, instead of the one that there is. */
  open(): void {
    this.close();
    const socket = new this._options.WebSocket(this._options.url());
    this._socket = socket;
    socket.onmessage = (event: MessageEvent<unknown>) => this._options.onMessage(event.data);
    socket.onclose = () => this._lose();
    this._timer = setTimeout(() => this._lose(), PATIENCE);
    this._options.onOpening();
  }

  /** The server has let us in: this is a connection. */
  accept(): void {
    clearTimeout(this._timer);
    this._tries = 0;
    this._isAccepted = true;
  }

  /** Whether there is a connection. */
  get isAccepted(): boolean {
    return this._isAccepted;
  }

  /** Ends the connection, and does not come again. */
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

  /** Sends, if there is a connection. */
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

  /** There is a network again, perhaps another one: the connection that we had may be dead without knowing it. */
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

  /** The page goes to the browser's back/forward cache, or is frozen; or it is left for good, which comes to the same. */
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
  /** Whether it is closed only for as long as the page is put away. */
  private _isAway = false;
  private _tries = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

export namespace ReconnectingSocket {
  export interface IOptions {
    WebSocket: typeof WebSocket;
    /** Where to; asked before each try. */
    url: () => string;
    /** A try begins. */
    onOpening: () => void;
    onMessage: (data: unknown) => void;
    /** The connection is lost, or was refused; another try comes by itself. */
    onLost: (wasAccepted: boolean) => void;
  }
}
