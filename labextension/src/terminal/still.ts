/** A terminal connection without a task, for a terminal that only displays given data. */

import type { ServerConnection, Terminal } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';

export class StillConnection implements Terminal.ITerminalConnection {
  constructor(
    readonly name: string,
    readonly serverSettings: ServerConnection.ISettings
  ) {}

  /** Write data to the terminal. */
  show(data: string): void {
    this._messageReceived.emit({ type: 'stdout', content: [data] });
  }

  get model(): Terminal.IModel {
    return { name: this.name };
  }

  readonly connectionStatus = 'connected';

  get messageReceived(): ISignal<this, Terminal.IMessage> {
    return this._messageReceived;
  }

  get connectionStatusChanged(): ISignal<this, Terminal.ConnectionStatus> {
    return this._connectionStatusChanged;
  }

  get disposed(): ISignal<this, void> {
    return this._disposed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._disposed.emit();
      Signal.clearData(this);
    }
  }

  /** Discard input. */
  send(): void {}

  async reconnect(): Promise<void> {}

  async shutdown(): Promise<void> {}

  private readonly _messageReceived = new Signal<this, Terminal.IMessage>(this);
  private readonly _connectionStatusChanged = new Signal<this, Terminal.ConnectionStatus>(this);
  private readonly _disposed = new Signal<this, void>(this);
  private _isDisposed = false;
}
