/** The view that covers the terminal of a task: its whole output, or an earlier screen. */

import type { ITerminal, Terminal } from '@jupyterlab/terminal';
import type { ITranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import '../../../style/whole.css';

import type { TaskApi } from '../../services/api';
import type { MomentView } from './moment';
import type { IPlaceInOutput, WholeOutput } from './whole';

/** Shows one view at a time. The owner disposes of it. */
export class TerminalCover {
  constructor(private readonly _options: TerminalCover.IOptions) {}

  /** The view; null while the terminal is shown. */
  get widget(): Widget | null {
    return this._widget;
  }

  /** The terminal that shows an earlier screen, if there is one. */
  get still(): Terminal | null {
    return this._widget && this._widget === this._moments ? this._moments.terminal : null;
  }

  /** Show the whole output: its end, a line, or a search. */
  async showWhole(place: IPlaceInOutput): Promise<void> {
    if (this._whole && this._widget === this._whole) {
      this._whole.goTo(place);
      return;
    }
    const { WholeOutput } = await import('./whole');
    const { id, api, translator } = this._options;
    const onClose = () => this._show(null);
    const trans = translator.load('jupyter_ptytasks');
    this._show(() => (this._whole = new WholeOutput({ id, api, place, onClose, trans })));
  }

  /** Show earlier screens, with a slider. */
  async showMoments(settings: Partial<ITerminal.IOptions>): Promise<void> {
    const { MomentView } = await import('./moment');
    const { id, api, isCut, translator } = this._options;
    const onClose = () => this._show(null);
    const options = { id, api, settings, isCut, onClose, translator };
    this._show(() => (this._moments = new MomentView(options)));
  }

  dispose(): void {
    this._isDisposed = true;
    this._widget?.dispose();
  }

  private _show(create: (() => Widget) | null): void {
    if (this._isDisposed) {
      return;
    }
    this._widget?.dispose();
    this._widget = create?.() ?? null;
    const { node, onChange } = this._options;
    node.classList.toggle('jp-mod-covered', this._widget !== null);
    if (this._widget) {
      node.scrollTop = 0;
      Widget.attach(this._widget, node);
    }
    onChange();
  }

  private _widget: Widget | null = null;
  private _whole: WholeOutput | null = null;
  private _moments: MomentView | null = null;
  private _isDisposed = false;
}

export namespace TerminalCover {
  export interface IOptions {
    /** The id of the task. */
    id: string;
    api: TaskApi;
    /** Whether the oldest output is no longer kept. */
    isCut: () => boolean;
    /** The node of the terminal. */
    node: HTMLElement;
    /** Called when `widget` has changed. */
    onChange: () => void;
    translator: ITranslator;
  }
}
