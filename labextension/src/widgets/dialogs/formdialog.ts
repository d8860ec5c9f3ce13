/** A dialog with a form. It stays open until submitting succeeds, so that the user can correct invalid values. */

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, type Widget } from '@lumino/widgets';

import '../../../style/dialog.css';

import { TaskError } from '../../services/api';

/** The index of the button that submits. */
const START = 1;

/** The fields of the dialog. They set the focus themselves, and show errors. */
export interface IFormBody extends Widget {
  refuse(error: TaskError): void;
}

export class FormDialog<T> extends Dialog<unknown> {
  constructor(private readonly _form: FormDialog.IOptions<T>) {
    const { title, body, button, openTerminal, trans } = _form;
    // A panel hides that the body is a React widget. For React widgets, the dialog sets the focus only when the browser is idle,
    // and the user may already be typing in another field.
    const frame = new Panel();
    frame.addWidget(body);
    super({
      title,
      body: frame,
      buttons: [
        Dialog.cancelButton(),
        button ??
          Dialog.okButton({ label: trans.__('Start'), caption: trans.__('Start (Ctrl+Enter)') })
      ],
      defaultButton: START,
      checkbox:
        openTerminal === null
          ? null
          : {
              label: trans.__('Open terminal'),
              caption: trans.__(
                'Open the terminal of the task, unless it waits for its turn on this machine'
              ),
              checked: openTerminal
            },
      hasClose: true
    });
    this.addClass('jp-PtyTasks-dialog');
    this.node.ariaLabel = title;
  }

  /** The result of `submit`; null until it succeeds. */
  get done(): T | null {
    return this._done;
  }

  override resolve(index = START): void {
    if (index === START) {
      void this._submit();
    } else {
      super.resolve(index);
    }
  }

  protected override _evtKeydown(event: KeyboardEvent): void {
    const { key, target } = event;
    if (event.isComposing) {
      return;
    }
    if (key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.stopPropagation();
      event.preventDefault();
      this.resolve();
      return;
    }
    const { activeElement } = document;
    if (key === 'Tab' && !event.shiftKey && activeElement === this._lastButton()) {
      // The dialog would focus the element that was first before React rendered the fields.
      event.stopPropagation();
      event.preventDefault();
      this.node.querySelector<HTMLElement>('button, textarea, select')?.focus();
      return;
    }
    // The dialog would handle Enter in multiline fields, and on buttons next to fields.
    const isOurs =
      this._form.body.node.contains(target as Node) && !(target instanceof HTMLInputElement);
    if (key === 'Escape' || !isOurs) {
      super._evtKeydown(event);
    }
  }

  private _lastButton(): Element | null {
    return [...this.node.querySelectorAll('.jp-Dialog-footer button')].pop() ?? null;
  }

  private async _submit(): Promise<void> {
    if (this._isSubmitting) {
      return;
    }
    this._isSubmitting = true;
    try {
      this._done = await this._form.submit();
    } catch (error) {
      this._form.body.refuse(
        error instanceof TaskError ? error : new TaskError(`${error}`, 0, 'unreachable')
      );
      return;
    } finally {
      this._isSubmitting = false;
    }
    super.resolve(START);
  }

  private _done: T | null = null;
  private _isSubmitting = false;
}

export namespace FormDialog {
  export interface IOptions<T> {
    title: string;
    body: IFormBody;
    /** Whether the checkbox is checked initially; null for no checkbox. */
    openTerminal: boolean | null;
    /** The button that submits; “Start” by default. */
    button?: Dialog.IButton;
    trans: TranslationBundle;
    /** Submit the form; rejects with a TaskError. */
    submit: () => Promise<T>;
  }
}
