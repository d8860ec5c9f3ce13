/** The field of a dialog that chooses when a task starts: now, in its turn in a group, or when it is released. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useRef } from 'react';

import { standingLabel } from '../../format/queue';
import { HELD, inGroup, NEW, NOW, type IStart } from '../../forms/start';
import { serverNow } from '../../services/clock';
import type { IStanding } from '../../services/queue';
import { Field } from './field';

export interface IStartFieldProps {
  form: IStart;
  /** Whether the task runs at another place, where GPUs are one of its resources, not of its group. */
  isElsewhere?: boolean;
  /** The groups whose tasks wait for their turns. */
  queues: readonly IStanding[];
  onChange: (field: keyof IStart, value: string) => void;
  /** Return why the value of a field is not accepted. */
  error: (field: keyof IStart) => string | undefined;
  trans: TranslationBundle;
}

/** When the task starts; the name and slots of a new group; and the GPUs of a task that waits for its turn. */
export function StartField(props: IStartFieldProps): JSX.Element {
  const { form, isElsewhere, queues, onChange, error, trans } = props;
  const now = serverNow();
  // A task that starts now does not wait for GPUs. Keep the field visible if it was filled in.
  const hasGpus = useRef(false);
  hasGpus.current ||= form.gpus !== '';
  return (
    <>
      <Field label={trans.__('Start')} error={error('start')}>
        <select
          name="start"
          value={form.start}
          onChange={event => onChange('start', event.target.value)}
        >
          <option value={NOW}>{trans.__('Now')}</option>
          {queues.map(queue => (
            <option key={queue.group.name} value={inGroup(queue.group.name)}>
              {trans.__('Queue in %1 (%2)', queue.group.name, standingLabel(queue, now, trans))}
            </option>
          ))}
          <option value={NEW}>{trans.__('Queue in a new group…')}</option>
          <option value={HELD}>{trans.__('When I release it')}</option>
        </select>
      </Field>
      {form.start === NEW && (
        <div className="jp-PtyTasks-pair">
          <Field label={trans.__('New group')} error={error('newGroup')}>
            <input
              name="newGroup"
              type="text"
              autoComplete="off"
              value={form.newGroup}
              onChange={event => onChange('newGroup', event.target.value)}
            />
          </Field>
          <Field
            label={trans.__('Slots')}
            hint={trans.__('How many of its tasks run at a time.')}
            error={error('slots')}
          >
            <input
              name="slots"
              type="number"
              min={1}
              value={form.slots}
              onChange={event => onChange('slots', event.target.value)}
            />
          </Field>
        </div>
      )}
      {!isElsewhere && (form.start !== NOW || hasGpus.current) && (
        <Field
          label={trans.__('GPUs')}
          hint={trans.__('Whole ones, or a share of one such as 0.5.')}
          error={error('gpus')}
        >
          <input
            name="gpus"
            type="text"
            inputMode="decimal"
            autoComplete="off"
            placeholder={trans.__('As set by the group')}
            value={form.gpus}
            onChange={event => onChange('gpus', event.target.value)}
          />
        </Field>
      )}
    </>
  );
}
