/** The notification of ended tasks on the screen. It is updated when a task ends, until the user dismisses it. */

import { Notification } from '@jupyterlab/apputils';

import type { INotice, IToast } from '../services/completions';

/** Milliseconds for which a success is shown; a failure stays until it is dismissed. */
const BRIEFLY = 5000;

export class EndsToast implements IToast {
  /** `actionsOf` returns the buttons of a notice; `onShow` is called with each. */
  constructor(
    private readonly _actionsOf: (notice: INotice) => Notification.IAction[],
    private readonly _onShow: (notice: INotice) => void
  ) {}

  get isOpen(): boolean {
    return Notification.manager.has(this._id) && Date.now() < this._until;
  }

  show(notice: INotice): void {
    const { kind, message } = notice;
    const isBrief = kind === 'success';
    const options = {
      autoClose: isBrief ? BRIEFLY : (false as const),
      actions: this._actionsOf(notice)
    };
    if (this.isOpen && kind === this._kind) {
      Notification.update({ id: this._id, message, ...options });
    } else {
      // JupyterLab does not change the color of a notification.
      this.close();
      this._id = Notification.emit(message, kind, options);
      this._kind = kind;
    }
    this._until = isBrief ? Date.now() + BRIEFLY : Infinity;
    this._onShow(notice);
  }

  close(): void {
    if (this.isOpen) {
      Notification.dismiss(this._id);
    }
  }

  private _id = '';
  private _kind: INotice['kind'] | null = null;
  /** When it disappears by itself, in milliseconds since the Unix epoch. */
  private _until = 0;
}
