/** The buttons over a terminal: at its bottom to jump to the end, at its top to show earlier lines. */

import type { Terminal } from '@jupyterlab/terminal';
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretUpIcon, type LabIcon } from '@jupyterlab/ui-components';

import { linesFromTop } from '../../terminal/xterm';

/** Return a button over the terminal, initially hidden. */
export function jumpButton(icon: LabIcon, label: string | Node, title: string): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'jp-PtyTasks-jump';
  button.title = title;
  button.hidden = true;
  button.append(icon.element({ tag: 'span' }), label);
  return button;
}

export interface IEarlierLinesOptions {
  terminal: Terminal;
  /** Return whether the task has ended. */
  hasEnded: () => boolean;
  /** Return how many lines of output the task has. */
  total: () => Promise<number>;
  /** Called to show them. */
  onShow: () => void;
  trans: TranslationBundle;
}

/** Says how many lines are missing above the terminal's scrollback when it is scrolled to its top. */
export class EarlierLines {
  constructor(private readonly _options: IEarlierLinesOptions) {
    const { terminal, onShow, trans } = _options;
    this._button = jumpButton(caretUpIcon, this._label, trans.__('Show the whole output'));
    this._button.classList.add('jp-mod-earlier');
    this._button.addEventListener('click', onShow);
    terminal.node.append(this._button);
  }

  /** Check the scroll position; call it after each render and scroll. */
  look(): void {
    const { terminal, hasEnded, total, trans } = this._options;
    const shown = linesFromTop(terminal, hasEnded());
    const isAtTop = shown !== null;
    if (isAtTop === this._isAtTop) {
      return;
    }
    this._isAtTop = isAtTop;
    this._button.hidden = true;
    if (!isAtTop) {
      return;
    }
    total().then(
      lines => {
        const count = lines - shown;
        const text = trans._n('%1 earlier line', '%1 earlier lines', count);
        this._label.textContent = text.replace(`${count}`, count.toLocaleString());
        this._button.hidden = !this._isAtTop || count <= 0;
      },
      () => undefined // the banner says why
    );
  }

  private readonly _label = document.createElement('span');
  private readonly _button: HTMLButtonElement;
  private _isAtTop = false;
}
