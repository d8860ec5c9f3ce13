/** The "New task" dialog: it stays open until the task has started. */

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { TaskError } from '../api';
import { requestOf, type IForm } from '../requests';
import type { ITask, ITaskRequest } from '../task';
import { blamedField, TaskFields } from './fields';

/** The places of the buttons. */
const START = 1;

export interface INewTaskOptions {
  form: IForm;
  commands: readonly string[];
  groups: readonly string[];
  openTerminal: boolean;
  trans: TranslationBundle;
  /** Starts the task; rejects with a TaskError. */
  start: (request: ITaskRequest) => Promise<ITask>;
  /** Lets the user choose a directory; null where none was chosen. */
  chooseDirectory?: (cwd: string) => Promise<string | null>;
}

export interface INewTask {
  task: ITask;
  request: ITaskRequest;
  openTerminal: boolean;
}

/** Asks for a new task and starts it; gives null where the user thinks better of it. */
export async function askForTask(options: INewTaskOptions): Promise<INewTask | null> {
  let { form, openTerminal } = options;
  let focus: keyof IForm = 'command';
  for (;;) {
    const dialog = new NewTaskDialog({ ...options, form, openTerminal }, focus);
    const result = await dialog.launch();
    openTerminal = result.isChecked ?? openTerminal;
    if (dialog.started) {
      return { ...dialog.started, openTerminal };
    }
    if (!dialog.isBrowsing) {
      return null;
    }
    // Lab shows one dialog at a time: ours makes room for that of the directories, and comes back as it was.
    form = dialog.form;
    const cwd = await options.chooseDirectory?.(form.cwd);
    form = { ...form, cwd: cwd ?? form.cwd };
    focus = 'cwd';
  }
}

/** See askForTask. */
export class NewTaskDialog extends Dialog<IForm> {
  constructor(
    private readonly _options: INewTaskOptions,
    focus: keyof IForm = 'command'
  ) {
    const { trans } = _options;
    const onBrowse = _options.chooseDirectory ? () => this._browse() : undefined;
    const body = new FormBody(_options, focus, onBrowse);
    super({
      title: trans.__('New Task'),
      body,
      buttons: [
        Dialog.cancelButton(),
        Dialog.okButton({ label: trans.__('Start'), caption: trans.__('Start (Ctrl+Enter)') })
      ],
      defaultButton: START,
      checkbox: {
        label: trans.__('Open its terminal'),
        caption: trans.__('Open the terminal of the task when it has started'),
        checked: _options.openTerminal
      },
      focusNodeSelector: `[name=${focus}]`,
      hasClose: true
    });
    this._formBody = body;
    this.addClass('jp-PtyTasks-dialog');
    this.node.ariaLabel = trans.__('New Task');
  }

  /** What is in the fields. */
  get form(): IForm {
    return this._formBody.form;
  }

  /** What has been started. */
  get started(): Pick<INewTask, 'task' | 'request'> | null {
    return this._started;
  }

  /** Whether it has been closed to choose a directory. */
  get isBrowsing(): boolean {
    return this._isBrowsing;
  }

  override resolve(index = START): void {
    if (index === START) {
      void this._start();
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
      // Lab's dialog would go on with what came first before the fields were there.
      event.stopPropagation();
      event.preventDefault();
      this.node.querySelector<HTMLElement>('button, textarea')?.focus();
      return;
    }
    // Lab's dialog would take Enter from the fields of several lines, and from the buttons among the fields.
    const isOurs =
      this._formBody.node.contains(target as Node) && !(target instanceof HTMLInputElement);
    if (key === 'Escape' || !isOurs) {
      super._evtKeydown(event);
    }
  }

  private _lastButton(): Element | null {
    return [...this.node.querySelectorAll('.jp-Dialog-footer button')].pop() ?? null;
  }

  private async _start(): Promise<void> {
    if (this._isStarting) {
      return;
    }
    this._isStarting = true;
    try {
      const request = requestOf(this.form, this._options.trans);
      this._started = { request, task: await this._options.start(request) };
    } catch (error) {
      this._formBody.refuse(
        error instanceof TaskError ? error : new TaskError(`${error}`, 0, 'unreachable')
      );
      return;
    } finally {
      this._isStarting = false;
    }
    super.resolve(START);
  }

  private _browse(): void {
    this._isBrowsing = true;
    this.reject();
  }

  private readonly _formBody: FormBody;
  private _started: Pick<INewTask, 'task' | 'request'> | null = null;
  private _isStarting = false;
  private _isBrowsing = false;
}

/** Holds what is typed, and why it was refused. */
class FormBody extends ReactWidget {
  constructor(
    private readonly _options: INewTaskOptions,
    private readonly _focus: keyof IForm,
    private readonly _onBrowse?: () => void
  ) {
    super();
    this.form = _options.form;
  }

  form: IForm;

  refuse(error: TaskError): void {
    this._refused = error;
    this.update();
  }

  protected render(): React.JSX.Element {
    const { commands, groups, trans } = this._options;
    return (
      <TaskFields
        form={this.form}
        focus={this._focus}
        onChange={(form, field) => this._take(form, field)}
        refused={this._refused}
        commands={commands}
        groups={groups}
        onBrowse={this._onBrowse}
        trans={trans}
      />
    );
  }

  private _take(form: IForm, field: keyof IForm): void {
    this.form = form;
    const blamed = blamedField(this._refused, form);
    if (this._refused && (blamed === field || blamed === null)) {
      this._refused = null;
      this.update();
    }
  }

  private _refused: TaskError | null = null;
}
