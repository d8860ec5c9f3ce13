/** The dialog that queues several files. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef, useState } from 'react';

import type { IStart } from '../../forms/start';
import type { IStanding } from '../../services/queue';
import { FieldsBody, type IFormProps } from './fieldsbody';
import { FormDialog } from './formdialog';
import { StartField } from './start';

/** The most files that are named. */
const LISTED = 8;

export interface IQueueFilesOptions {
  form: IStart;
  /** The names of the files. */
  names: readonly string[];
  queues: readonly IStanding[];
  trans: TranslationBundle;
  /** Queue them; rejects with a TaskError. */
  submit: (form: IStart) => Promise<void>;
}

/** Show the dialog until the files are queued, or the user cancels. */
export async function askForStart(options: IQueueFilesOptions): Promise<void> {
  const { names, submit, trans } = options;
  const body = new FieldsBody(StartFields, options);
  const dialog = new FormDialog({
    title: trans._n('Queue %1 File as Task', 'Queue %1 Files as Tasks', names.length),
    body,
    openTerminal: null,
    trans,
    submit: () => submit(body.form)
  });
  await dialog.launch();
}

function StartFields(props: IQueueFilesOptions & IFormProps<IStart>): JSX.Element {
  const { names, queues, refused, onChange, trans } = props;
  const [form, setForm] = useState(props.form);
  const root = useRef<HTMLDivElement>(null);
  const isOurs = refused?.field !== undefined && refused.field in form;
  const focus = (field: string) =>
    root.current?.querySelector<HTMLElement>(`[name=${field}]`)?.focus();
  useEffect(() => focus('start'), []);
  useEffect(() => {
    if (isOurs) {
      focus(refused?.field ?? '');
    }
  }, [refused]);
  const more = names.length - LISTED;
  return (
    <div className="jp-PtyTasks-fields" ref={root}>
      {refused && !isOurs && (
        <div role="alert" className="jp-PtyTasks-refused">
          {refused.message}
        </div>
      )}
      <ul className="jp-PtyTasks-files">
        {names.slice(0, LISTED).map(name => (
          <li key={name}>{name}</li>
        ))}
        {more > 0 && <li>{trans._n('%1 more', '%1 more', more)}</li>}
      </ul>
      <StartField
        form={form}
        queues={queues}
        onChange={(field, value) => {
          const next = { ...form, [field]: value };
          setForm(next);
          onChange(next);
        }}
        error={field => (refused?.field === field ? refused.reason : undefined)}
        trans={trans}
      />
    </div>
  );
}
