/** The Clean Up dialog: selects finished tasks, and shows what will be deleted and the disk space it frees. */

import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef, useState } from 'react';

import { bytes } from '../../format/measures';
import {
  AGES,
  bestBy,
  bests,
  cleanUpQuery,
  ENDS,
  sparedLabel,
  type ICleanUpForm
} from '../../forms/cleanup';
import { refusal } from '../../forms/start';
import { TaskError } from '../../services/api';
import { cleanUp, previewCleanUp, type ICleanUp } from '../../services/cleanup';
import type { ITaskModel } from '../../tokens';
import { Field } from './field';
import { FieldsBody, type IFormProps } from './fieldsbody';
import { FormDialog } from './formdialog';

/** The most tasks that are named. */
const LISTED = 8;

/** The server's preview of the selection; null until it is received. */
interface IPreview {
  told: ICleanUp | null;
}

interface ICleanUpOptions {
  form: ICleanUpForm;
  model: ITaskModel;
  trans: TranslationBundle;
}

interface IFieldsOptions extends ICleanUpOptions {
  /** Called with the preview that is shown. */
  onPreview: (preview: IPreview) => void;
}

/** Show the dialog; return what was deleted, null if the user cancels. */
export async function askToCleanUp(options: ICleanUpOptions): Promise<ICleanUp | null> {
  const { model, trans } = options;
  let shown: IPreview = { told: null };
  const body = new FieldsBody(CleanUpFields, {
    ...options,
    onPreview: (preview: IPreview) => {
      shown = preview;
    }
  });
  const dialog = new FormDialog({
    title: trans.__('Clean Up Tasks'),
    body,
    openTerminal: null,
    button: Dialog.warnButton({ label: trans.__('Delete') }),
    trans,
    // Delete exactly the tasks of the preview.
    submit: async () => {
      if (!shown.told) {
        throw refusal('tasks', trans.__('The preview has not been loaded yet.'));
      }
      if (shown.told.tasks.length === 0) {
        throw refusal('tasks', trans.__('There is nothing to delete. Choose other tasks.'));
      }
      return cleanUp(
        model.api,
        shown.told.tasks.map(({ id }) => id)
      );
    }
  });
  await dialog.launch();
  return dialog.done;
}

function CleanUpFields(props: IFieldsOptions & IFormProps<ICleanUpForm>): JSX.Element {
  const { model, refused, onChange, onPreview, trans } = props;
  const [form, setForm] = useState(props.form);
  const [preview, setPreview] = useState<IPreview>({ told: null });
  const [failure, setFailure] = useState<TaskError | null>(null);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => root.current?.querySelector('select')?.focus(), []);
  useEffect(() => {
    let isCurrent = true;
    const show = (told: ICleanUp | null) => {
      setPreview({ told });
      onPreview({ told });
    };
    show(null);
    setFailure(null);
    previewCleanUp(model.api, cleanUpQuery(form)).then(
      told => isCurrent && show(told),
      (error: unknown) =>
        isCurrent &&
        setFailure(error instanceof TaskError ? error : new TaskError(`${error}`, 0, 'unreachable'))
    );
    return () => {
      isCurrent = false;
    };
  }, [form]);
  const set = (field: keyof ICleanUpForm) => (event: React.ChangeEvent<HTMLSelectElement>) => {
    const next = { ...form, [field]: event.target.value };
    setForm(next);
    onChange(next);
  };
  const groups = choices(model.tasks.map(task => task.group));
  const tags = choices(model.tasks.flatMap(task => task.tags));
  const metrics = bests(model.tasks);
  const error = refused ?? failure;
  return (
    <div className="jp-PtyTasks-fields" ref={root}>
      {error && (
        <div role="alert" className="jp-PtyTasks-refused">
          {error.message}
        </div>
      )}
      <div className="jp-PtyTasks-pair">
        <Field label={trans.__('Ended')}>
          <select name="age" value={form.age} onChange={set('age')}>
            <option value="">{trans.__('At any time')}</option>
            {Object.keys(AGES).map(age => (
              <option key={age} value={age}>
                {ageLabel(age, trans)}
              </option>
            ))}
          </select>
        </Field>
        <Field label={trans.__('State')}>
          <select name="end" value={form.end} onChange={set('end')}>
            <option value="">{trans.__('Any')}</option>
            {Object.keys(ENDS).map(end => (
              <option key={end} value={end}>
                {endLabel(end, trans)}
              </option>
            ))}
          </select>
        </Field>
      </div>
      {(groups.length > 1 || tags.length > 0) && (
        <div className="jp-PtyTasks-pair">
          {groups.length > 1 && (
            <Choice
              name="group"
              label={trans.__('Group')}
              any={trans.__('Any')}
              value={form.group}
              values={groups}
              onChange={set('group')}
            />
          )}
          {tags.length > 0 && (
            <Choice
              name="tag"
              label={trans.__('Tag')}
              any={trans.__('Any')}
              value={form.tag}
              values={tags}
              onChange={set('tag')}
            />
          )}
        </div>
      )}
      {metrics.length > 0 && (
        <Field
          label={trans.__('Keep')}
          hint={trans.__('Pinned tasks, and tasks that have not ended, are always kept.')}
        >
          <select name="best" value={form.best} onChange={set('best')}>
            <option value="">{trans.__('Nothing else')}</option>
            {metrics.map(([name, better]) => (
              <option key={bestBy(better, name)} value={bestBy(better, name)}>
                {better === 'lower'
                  ? trans.__('The task with the lowest %1', name)
                  : trans.__('The task with the highest %1', name)}
              </option>
            ))}
          </select>
        </Field>
      )}
      <Preview told={preview.told} trans={trans} />
    </div>
  );
}

interface IChoiceProps {
  name: string;
  label: string;
  any: string;
  value: string;
  values: readonly string[];
  onChange: (event: React.ChangeEvent<HTMLSelectElement>) => void;
}

function Choice({ name, label, any, value, values, onChange }: IChoiceProps): JSX.Element {
  return (
    <Field label={label}>
      <select name={name} value={value} onChange={onChange}>
        <option value="">{any}</option>
        {values.map(one => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** What would be deleted; a live region for screen readers. */
function Preview({ told, trans }: IPreview & { trans: TranslationBundle }): JSX.Element {
  const names = told?.tasks.slice(0, LISTED) ?? [];
  const more = (told?.tasks.length ?? 0) - names.length;
  const kept = told && sparedLabel(told, trans);
  return (
    <div className="jp-PtyTasks-preview">
      <div role="status">
        <strong>{told ? roomLabel(told, trans) : trans.__('Loading…')}</strong>
        {kept && <div className="jp-PtyTasks-hint">{trans.__('Kept: %1', kept)}</div>}
      </div>
      {names.length > 0 && (
        <ul className="jp-PtyTasks-files">
          {names.map(({ id, name, size }) => (
            <li key={id}>{trans.__('%1 (%2)', name, bytes(size))}</li>
          ))}
          {more > 0 && <li>{trans._n('%1 more', '%1 more', more)}</li>}
        </ul>
      )}
    </div>
  );
}

function roomLabel({ tasks, size }: ICleanUp, trans: TranslationBundle): string {
  return tasks.length === 0
    ? trans.__('Nothing to delete')
    : trans._n(
        '%1 task, %2 on disk: deleting cannot be undone',
        '%1 tasks, %2 on disk: deleting cannot be undone',
        tasks.length,
        bytes(size)
      );
}

function ageLabel(age: string, trans: TranslationBundle): string {
  const days = AGES[age];
  return trans._n('More than %1 day ago', 'More than %1 days ago', days);
}

function endLabel(end: string, trans: TranslationBundle): string {
  switch (end) {
    case 'succeeded':
      return trans.__('Succeeded');
    case 'wrong':
      return trans.__('Failed, timed out or lost');
    default:
      return trans.__('Canceled');
  }
}

function choices(values: readonly string[]): string[] {
  return [...new Set(values)].sort((a, b) => a.localeCompare(b));
}
