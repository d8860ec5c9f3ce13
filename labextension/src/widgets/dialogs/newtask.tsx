/** The New Task dialog. It stays open until the task has started. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { TaskError } from '../../services/api';
import { requestOf, startAt, type IForm } from '../../forms/requests';
import { newGroupOf, type INewGroup } from '../../forms/start';
import type { IStanding } from '../../services/queue';
import type { ITaskRequest } from '../../services/types/requests';
import type { ITask } from '../../services/types/tasks';
import { blamedField, TaskFields } from './fields';
import { FormDialog } from './formdialog';
import type { IPlaces } from './where';

export interface INewTaskOptions extends IPlaces {
  form: IForm;
  commands: readonly string[];
  groups: readonly string[];
  queues: readonly IStanding[];
  tasks: readonly string[];
  openTerminal: boolean;
  /** The name of the task that the new one copies, if any. */
  like?: string;
  trans: TranslationBundle;
  /** Start or queue the task, in a new group if one is given; rejects with a TaskError. */
  start: (request: ITaskRequest, group: INewGroup | null) => Promise<ITask>;
  /** Let the user choose a directory; null if canceled. */
  chooseDirectory?: (cwd: string) => Promise<string | null>;
}

export interface INewTask {
  task: ITask;
  request: ITaskRequest;
  openTerminal: boolean;
}

/** Show the dialog and start the task. Return null if the user cancels. */
export async function askForTask(options: INewTaskOptions): Promise<INewTask | null> {
  let { form, openTerminal } = options;
  let focus: keyof IForm = 'command';
  for (;;) {
    const dialog = new NewTaskDialog({ ...options, form, openTerminal }, focus);
    const result = await dialog.launch();
    openTerminal = result.isChecked ?? openTerminal;
    if (dialog.done) {
      return { ...dialog.done, openTerminal };
    }
    if (!dialog.isBrowsing) {
      return null;
    }
    // JupyterLab shows one dialog at a time: close this one for the directory dialog, and open it again afterwards.
    form = dialog.form;
    const cwd = await options.chooseDirectory?.(form.cwd);
    form = { ...form, cwd: cwd ?? form.cwd };
    focus = 'cwd';
  }
}

/** See askForTask. */
export class NewTaskDialog extends FormDialog<Pick<INewTask, 'task' | 'request'>> {
  constructor(options: INewTaskOptions, focus: keyof IForm = 'command') {
    const { openTerminal, start, trans } = options;
    const onBrowse = options.chooseDirectory ? () => this._browse() : undefined;
    const body = new FormBody(options, focus, onBrowse);
    super({
      title:
        options.like === undefined
          ? trans.__('New Task')
          : trans.__('Edit and Run “%1” Again', options.like),
      body,
      openTerminal,
      trans,
      submit: async () => {
        const request = requestOf(body.form, trans, options.places);
        const group = newGroupOf(startAt(body.form, options.places), trans);
        return { request, task: await start(request, group) };
      }
    });
    this._formBody = body;
  }

  /** The current values. */
  get form(): IForm {
    return this._formBody.form;
  }

  /** Whether it was closed to choose a directory. */
  get isBrowsing(): boolean {
    return this._isBrowsing;
  }

  private _browse(): void {
    this._isBrowsing = true;
    this.reject();
  }

  private readonly _formBody: FormBody;
  private _isBrowsing = false;
}

/** Holds the current values and the last error. */
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
    const { commands, groups, queues, tasks, places, optionsOf, trans } = this._options;
    return (
      <TaskFields
        form={this.form}
        focus={this._focus}
        onChange={(form, field) => this._take(form, field)}
        refused={this._refused}
        commands={commands}
        groups={groups}
        queues={queues}
        tasks={tasks}
        places={places}
        optionsOf={optionsOf}
        isAgain={this._options.like !== undefined}
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
