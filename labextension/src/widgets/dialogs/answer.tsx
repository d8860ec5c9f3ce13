/** The dialog that answers the question of a program. */

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';
import React from 'react';

import '../../../style/dialog.css';

import { isAnswerable } from '../../format/question';
import { useSignalValue } from '../../services/watchedvalue';
import type { ITask } from '../../services/types/tasks';
import type { ITaskModel } from '../../tokens';
import { AnswerField } from '../answer';

export interface IAnswerOptions {
  /** The task that asks. */
  task: ITask;
  model: ITaskModel;
  trans: TranslationBundle;
}

/** Show the dialog; resolves when an answer was sent or the user cancels. */
export async function askForAnswer(options: IAnswerOptions): Promise<void> {
  await new AnswerDialog(options).launch();
}

class AnswerDialog extends Dialog<void> {
  constructor({ task, model, trans }: IAnswerOptions) {
    const title = trans.__('“%1” Asks', task.name);
    const body = ReactWidget.create(
      <AnswerBody id={task.id} model={model} onSent={() => this.reject()} trans={trans} />
    );
    // As in FormDialog: the field takes the focus itself.
    const frame = new Panel();
    frame.addWidget(body);
    super({ title, body: frame, buttons: [Dialog.cancelButton()], hasClose: true });
    this._fields = frame;
    this.addClass('jp-PtyTasks-dialog');
    this.node.ariaLabel = title;
  }

  protected override _evtKeydown(event: KeyboardEvent): void {
    // Enter sends the field, or presses its button.
    if (event.key !== 'Enter' || !this._fields.node.contains(event.target as Node)) {
      super._evtKeydown(event);
    }
  }

  private readonly _fields: Panel;
}

interface IBodyProps {
  id: string;
  model: ITaskModel;
  onSent: () => void;
  trans: TranslationBundle;
}

/** The field. If the question ends without an answer from here, the dialog stays open and says so. */
function AnswerBody({ id, model, onSent, trans }: IBodyProps): JSX.Element {
  const task = useSignalValue(model.changed, () => model.get(id));
  return (
    <div className="jp-PtyTasks-fields">
      {task && <AnswerField task={task} model={model} takesFocus onSent={onSent} trans={trans} />}
      <div aria-live="polite">
        {(!task || !isAnswerable(task)) && trans.__('The program no longer waits for an answer.')}
      </div>
    </div>
  );
}
