/** The body of a dialog with fields: holds their current values, and the last error. */

import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { TaskError } from '../../services/api';
import type { IFormBody } from './formdialog';

/** The props of fields besides the options of their dialog. */
export interface IFormProps<F> {
  /** Why nothing was started; cleared by any change. */
  refused: TaskError | null;
  onChange: (form: F) => void;
}

export class FieldsBody<F, O extends { form: F }> extends ReactWidget implements IFormBody {
  constructor(
    private readonly _fields: (props: O & IFormProps<F>) => React.JSX.Element,
    private readonly _options: O
  ) {
    super();
    this.form = _options.form;
  }

  form: F;

  refuse(error: TaskError): void {
    this._refused = error;
    this.update();
  }

  protected override render(): React.JSX.Element {
    const Fields = this._fields;
    return (
      <Fields
        {...this._options}
        refused={this._refused}
        onChange={form => {
          this.form = form;
          if (this._refused) {
            this._refused = null;
            this.update();
          }
        }}
      />
    );
  }

  private _refused: TaskError | null = null;
}
