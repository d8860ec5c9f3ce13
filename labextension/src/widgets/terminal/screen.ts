/** The terminal of a tab. It is opened when it has content: drawing an empty terminal first would delay the content. */

import type { Terminal as Session } from '@jupyterlab/services';
import { Terminal, type ITerminal } from '@jupyterlab/terminal';
import type { ITranslator } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';

import { isGpuEmulated } from '../../terminal/gpu';
import { drawWithoutGpu } from '../../terminal/xterm';

export class TaskScreen extends Terminal {
  constructor(
    connection: Session.ITerminalConnection,
    settings: Partial<ITerminal.IOptions>,
    translator: ITranslator
  ) {
    super(connection, settings, translator);
    this.node.addEventListener('keydown', event => this._typeAhead(event));
    void this.opened.then(() => {
      if (this.node.contains(document.activeElement)) {
        this.activate();
      }
    });
  }

  /** Resolves when the terminal is in the document. */
  get opened(): Promise<void> {
    return this._opened.promise;
  }

  /** Open the terminal as soon as it is visible. Until then it only buffers output. */
  open(): void {
    if (!this._mayOpen) {
      this._mayOpen = true;
      this.update();
    }
  }

  protected override onUpdateRequest(message: Message): void {
    if (!this._mayOpen) {
      return;
    }
    if (!this._isOpen && isGpuEmulated()) {
      drawWithoutGpu(this);
    }
    super.onUpdateRequest(message);
    if (!this._isOpen && this.node.querySelector('.xterm')) {
      this._isOpen = true;
      this._opened.resolve();
    }
  }

  /** Send keys that are typed before the terminal is open. */
  private _typeAhead(event: KeyboardEvent): void {
    const text = event.key === 'Enter' ? '\r' : event.key;
    const isText = text.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (isText && !this._isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.session.send({ type: 'stdin', content: [text] });
    }
  }

  private _mayOpen = false;
  private _isOpen = false;
  private readonly _opened = new PromiseDelegate<void>();
}
