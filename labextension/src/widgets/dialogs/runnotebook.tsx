/** The dialog that runs a notebook as a task. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useId, useRef, useState } from 'react';

import '../../../style/dialog.css';
import '../../../style/notebook.css';

import { AT_ONCE, newGroupOf, type INewGroup } from '../../forms/start';
import { serverShell } from '../../forms/shells';
import { notebookRequest, type INotebookForm, type IParameter } from '../../forms/notebooks';
import { startAt } from '../../forms/requests';
import { whereOf } from '../../forms/where';
import type { IStanding } from '../../services/queue';
import type { ITaskRequest } from '../../services/types/requests';
import type { ITask } from '../../services/types/tasks';
import { Field } from './field';
import { FieldsBody, type IFormProps } from './fieldsbody';
import { FormDialog } from './formdialog';
import { PlaceFields, type IPlaces } from './where';

export interface IRunNotebookOptions extends IPlaces {
  /** The path of the notebook below the server root. */
  path: string;
  /** The initial values. */
  form: INotebookForm;
  kernels: readonly IKernel[];
  /** The groups whose tasks wait for their turns. */
  queues: readonly IStanding[];
  trans: TranslationBundle;
  /** Start or queue the task, in a new group if one is given; rejects with a TaskError. */
  start: (request: ITaskRequest, group: INewGroup | null) => Promise<ITask>;
}

export interface IKernel {
  name: string;
  label: string;
}

export interface IRunNotebook {
  task: ITask;
  request: ITaskRequest;
  openTerminal: boolean;
}

/** Show the dialog and start the task. Return null if the user cancels. */
export async function askForNotebook(options: IRunNotebookOptions): Promise<IRunNotebook | null> {
  const { path, form, start, trans } = options;
  const body = new FieldsBody(NotebookFields, options);
  const dialog = new FormDialog({
    title: trans.__('Run Notebook as Task'),
    body,
    openTerminal: true,
    trans,
    submit: async () => {
      const request = notebookRequest(
        path,
        body.form,
        form.parameters,
        trans,
        options.places,
        serverShell()
      );
      const group = newGroupOf(startAt(body.form, options.places), trans);
      return { request, task: await start(request, group) };
    }
  });
  const { isChecked } = await dialog.launch();
  return dialog.done && { ...dialog.done, openTerminal: isChecked ?? true };
}

function NotebookFields(props: IRunNotebookOptions & IFormProps<INotebookForm>): JSX.Element {
  const { path, kernels, queues, places, optionsOf, refused, trans } = props;
  const [form, setForm] = useState(props.form);
  const blamed = /^parameters\.(\d+)$/.exec(refused?.field ?? '');
  const isOurs = (field = '') => field in AT_ONCE || field in whereOf({});
  const change = (changes: Partial<INotebookForm>) => {
    const next = { ...form, ...changes };
    setForm(next);
    props.onChange(next);
  };
  return (
    <div className="jp-PtyTasks-fields">
      {refused && !blamed && !isOurs(refused.field) && (
        <div role="alert" className="jp-PtyTasks-refused">
          {refused.message}
        </div>
      )}
      <div className="jp-PtyTasks-notebook" title={path}>
        {path}
      </div>
      <Field
        label={trans.__('Executed copy')}
        hint={trans.__(
          'Relative to the directory of the notebook. The notebook itself is not changed.'
        )}
      >
        <input
          name="output"
          type="text"
          autoFocus
          autoComplete="off"
          spellCheck={false}
          value={form.output}
          onChange={event => change({ output: event.target.value })}
        />
      </Field>
      <Parameters
        parameters={form.parameters}
        blamed={blamed ? Number(blamed[1]) : null}
        why={refused?.reason ?? ''}
        onChange={parameters => change({ parameters })}
        trans={trans}
      />
      <div className="jp-PtyTasks-pair">
        <Field label={trans.__('Task name')}>
          <input
            name="name"
            type="text"
            autoComplete="off"
            value={form.name}
            onChange={event => change({ name: event.target.value })}
          />
        </Field>
        <Field label={trans.__('Kernel')}>
          <select
            name="kernel"
            value={form.kernel}
            onChange={event => change({ kernel: event.target.value })}
          >
            <option value="">{trans.__("Notebook's kernel")}</option>
            {kernels.map(({ name, label }) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <PlaceFields
        form={form}
        places={places}
        optionsOf={optionsOf}
        queues={queues}
        onChange={(field, value) => change({ [field]: value })}
        error={field => (refused?.field === field ? refused.reason : undefined)}
        trans={trans}
      />
    </div>
  );
}

interface IParametersProps {
  parameters: readonly IParameter[];
  /** The index of the invalid one; null if there is none. */
  blamed: number | null;
  why: string;
  onChange: (parameters: IParameter[]) => void;
  trans: TranslationBundle;
}

/** One row per parameter, and a button to add one. */
function Parameters(props: IParametersProps): JSX.Element {
  const { parameters, blamed, why, onChange, trans } = props;
  const id = useId();
  const root = useRef<HTMLFieldSetElement>(null);
  const adding = useRef<HTMLButtonElement>(null);
  const [added, setAdded] = useState<{ index: number } | null>(null);
  const focus = (index: number) =>
    root.current?.querySelectorAll<HTMLElement>('[name=parameter]')[index]?.focus();
  useEffect(() => focus(added?.index ?? -1), [added]);
  useEffect(() => focus(blamed ?? -1), [blamed]);

  const set = (index: number, changes: Partial<IParameter>) =>
    onChange(parameters.map((one, at) => (at === index ? { ...one, ...changes } : one)));
  return (
    <fieldset ref={root} className="jp-PtyTasks-parameters" aria-describedby={`${id}-about`}>
      <legend>{trans.__('Parameters')}</legend>
      {parameters.map(({ name, value }, index) => (
        <div key={index} className="jp-PtyTasks-control">
          <input
            name="parameter"
            type="text"
            autoComplete="off"
            spellCheck={false}
            aria-label={trans.__('Name of parameter %1', index + 1)}
            aria-invalid={index === blamed || undefined}
            aria-describedby={index === blamed ? `${id}-why` : undefined}
            placeholder={trans.__('Name')}
            value={name}
            onChange={event => set(index, { name: event.target.value })}
          />
          <input
            name="value"
            type="text"
            autoComplete="off"
            spellCheck={false}
            aria-label={trans.__('Value of %1', name || index + 1)}
            placeholder={trans.__('Value')}
            value={value}
            onChange={event => set(index, { value: event.target.value })}
          />
          <button
            type="button"
            className="jp-PtyTasks-drop"
            title={trans.__('Remove')}
            aria-label={trans.__('Remove %1', name || trans.__('parameter %1', index + 1))}
            onClick={() => {
              adding.current?.focus();
              onChange(parameters.filter((_, at) => at !== index));
            }}
          >
            <closeIcon.react tag="span" />
          </button>
        </div>
      ))}
      {blamed !== null && (
        <div id={`${id}-why`} role="alert" className="jp-PtyTasks-error">
          {why}
        </div>
      )}
      <div className="jp-PtyTasks-control">
        <button
          type="button"
          ref={adding}
          onClick={() => {
            onChange([...parameters, { name: '', value: '' }]);
            setAdded({ index: parameters.length });
          }}
        >
          {trans.__('Add Parameter')}
        </button>
      </div>
      <div id={`${id}-about`} className="jp-PtyTasks-hint">
        {trans.__(
          'Numbers, True, False, None, or JSON lists and objects. Anything else is text, as is anything in double quotes.'
        )}
      </div>
    </fieldset>
  );
}
