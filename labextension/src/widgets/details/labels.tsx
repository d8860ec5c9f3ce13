/** The fields of a task that can be changed at any time. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useId, useRef, useState } from 'react';

import { changesOf, labelsOf } from '../../forms/labels';
import { TaskError } from '../../services/api';
import type { ITask } from '../../services/types/tasks';
import type { ITaskModel } from '../../tokens';
import { Field } from '../dialogs/field';

interface ILabelFieldsProps {
  task: ITask;
  model: ITaskModel;
  /** Called when the changes are saved or dropped. */
  onDone: () => void;
  trans: TranslationBundle;
}

const FIELDS = ['name', 'group', 'tags', 'pinned', 'metadata'] as const;

/** Saving only sends the fields that the user has changed, so that other changes are not overwritten. */
export function LabelFields({ task, model, onDone, trans }: ILabelFieldsProps): JSX.Element {
  const [before] = useState(task);
  const [labels, setLabels] = useState(() => labelsOf(task));
  const [refused, setRefused] = useState<TaskError | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const groups = useId();
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // The field may be scrolled out of view.
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [refused]);

  // `add_tags.2` is one of the tags.
  const blamed = FIELDS.find(field => refused?.field?.replace('add_', '').split('.')[0] === field);
  const errorOf = (field: (typeof FIELDS)[number]) =>
    blamed === field ? refused?.reason : undefined;
  const set = (changes: Partial<typeof labels>) => {
    setLabels({ ...labels, ...changes });
    setRefused(null);
  };
  const save = async () => {
    setIsBusy(true);
    try {
      const changes = changesOf(labels, before, trans);
      if (Object.keys(changes).length > 0) {
        await model.api.update(task.id, changes);
        await model.refresh();
      }
      onDone();
    } catch (error) {
      setRefused(error instanceof TaskError ? error : new TaskError(`${error}`, 0, ''));
      setIsBusy(false);
    }
  };

  return (
    <form
      ref={form}
      className="jp-PtyTasks-fields"
      onSubmit={event => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          onDone();
        }
      }}
    >
      {refused && !blamed && (
        <p role="alert" className="jp-PtyTasks-refused">
          {refused.message}
        </p>
      )}
      <Field label={trans.__('Name')} error={errorOf('name')}>
        <input
          className="jp-mod-styled"
          value={labels.name}
          required
          autoFocus
          onChange={event => set({ name: event.target.value })}
        />
      </Field>
      <Field label={trans.__('Group')} error={errorOf('group')}>
        <input
          className="jp-mod-styled"
          value={labels.group}
          required
          list={groups}
          onChange={event => set({ group: event.target.value })}
        />
      </Field>
      <datalist id={groups}>
        {model.groups.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Field label={trans.__('Tags (comma-separated)')} error={errorOf('tags')}>
        <input
          className="jp-mod-styled"
          value={labels.tags}
          onChange={event => set({ tags: event.target.value })}
        />
      </Field>
      <Field label={trans.__('Metadata (JSON)')} error={errorOf('metadata')}>
        <textarea
          className="jp-mod-styled"
          value={labels.metadata}
          rows={3}
          spellCheck={false}
          onChange={event => set({ metadata: event.target.value })}
        />
      </Field>
      <label>
        <input
          type="checkbox"
          checked={labels.pinned}
          onChange={event => set({ pinned: event.target.checked })}
        />{' '}
        {trans.__('Pinned: kept until you delete it')}
      </label>
      <div className="jp-PtyTasks-details-buttons">
        <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={isBusy}>
          {trans.__('Save')}
        </button>
        <button type="button" className="jp-mod-styled jp-mod-reject" onClick={onDone}>
          {trans.__('Cancel')}
        </button>
      </div>
    </form>
  );
}
