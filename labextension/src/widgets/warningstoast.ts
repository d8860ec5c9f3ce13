/** The notification of warnings: one for all tasks, which is updated until the user dismisses it. */

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

export class WarningsToast {
  /** `actionsOf` returns the buttons for these tasks. */
  constructor(
    private readonly _actionsOf: (ids: readonly string[]) => Notification.IAction[],
    private readonly _trans: TranslationBundle
  ) {}

  /** Add the warning of a task; return a function that removes it. */
  add(id: string, message: string): () => void {
    if (!this._isOpen) {
      this._said.clear();
    }
    this._said.set(id, message);
    this._show();
    return () => {
      if (this._said.get(id) === message && this._said.delete(id) && this._isOpen) {
        this._show();
      }
    };
  }

  private get _isOpen(): boolean {
    return Notification.manager.has(this._id);
  }

  private _show(): void {
    const ids = [...this._said.keys()];
    const last = [...this._said.values()].pop();
    if (last === undefined) {
      Notification.dismiss(this._id);
      return;
    }
    const message =
      ids.length === 1
        ? last
        : this._trans.__('%1 tasks have warnings. Latest: %2', ids.length, last);
    const options = { autoClose: false as const, actions: this._actionsOf(ids) };
    if (this._isOpen) {
      Notification.update({ id: this._id, message, ...options });
    } else {
      this._id = Notification.emit(message, 'warning', options);
    }
  }

  private readonly _said = new Map<string, string>();
  private _id = '';
}
