/** The fields of the New Task dialog. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useId, useRef, useState } from 'react';

import type { TaskError } from '../../services/api';
import type { IForm } from '../../forms/requests';
import { HELD, NEW, NOW } from '../../forms/start';
import { hasQueue, isElsewhere } from '../../forms/where';
import type { IStanding } from '../../services/queue';
import { Field } from './field';
import { PlaceFields, type IPlaces } from './where';

export interface IFieldsProps extends IPlaces {
  /** The initial values. */
  form: IForm;
  /** The field with the initial focus. */
  focus: keyof IForm;
  /** Called after each change. */
  onChange: (form: IForm, field: keyof IForm) => void;
  /** Why the task was not started; cleared when the invalid field is changed. */
  refused: TaskError | null;
  /** Recent commands, newest first. */
  commands: readonly string[];
  /** Existing groups whose tasks do not wait for their turns, and those whose tasks do. */
  groups: readonly string[];
  queues: readonly IStanding[];
  /** The names of tasks that have not ended. */
  tasks: readonly string[];
  /** Whether the task copies another one: dependencies and retries are not offered, and variables are only changes. */
  isAgain: boolean;
  /** Let the user choose a directory; without it there is no button. */
  onBrowse?: () => void;
  trans: TranslationBundle;
}

/** Return the field of an error, if the dialog has it: `tags` for `tags.0`. */
export function blamedField(refused: TaskError | null, form: IForm): keyof IForm | null {
  if (refused?.code === 'name_in_use') {
    return 'name';
  }
  if (refused?.code === 'place_unreachable') {
    return 'place';
  }
  const whole = refused?.field ?? '';
  const field = whole in form ? whole : whole.split('.')[0];
  if (field === 'group' && form.start === NEW) {
    return 'newGroup';
  }
  return field in form ? (field as keyof IForm) : null;
}

const MORE: readonly (keyof IForm)[] = [
  'after',
  'not_before',
  'retry',
  'env',
  'group',
  'tags',
  'timeout',
  'if_exists'
];

/** All fields, with rarely used ones in a collapsed section. */
export function TaskFields(props: IFieldsProps): React.JSX.Element {
  const { commands, groups, queues, tasks, places, optionsOf, isAgain, refused, trans } = props;
  const [form, setForm] = useState(props.form);
  const [startsOpen] = useState(() => MORE.some(field => !['', 'new'].includes(form[field])));
  const root = useRef<HTMLDivElement>(null);
  const details = useRef<HTMLDetailsElement>(null);
  const groupsId = useId();
  const tasksId = useId();
  const blamed = blamedField(refused, form);

  const focus = (field: keyof IForm) =>
    root.current?.querySelector<HTMLElement>(`[name="${field}"]`)?.focus();
  useEffect(() => focus(props.focus), []);
  useEffect(() => {
    if (blamed) {
      // Elements in a collapsed section cannot be focused.
      details.current?.toggleAttribute('open', details.current.open || MORE.includes(blamed));
      focus(blamed);
    }
  }, [refused]);

  const isAway = (form: IForm) => isElsewhere(places.find(({ name }) => name === form.place));
  const isThere = isAway(form);
  const onBrowse = isThere ? undefined : props.onBrowse;
  // A directory of one machine is meaningless on another: keep one for each.
  const otherDirectory = useRef('');
  const set = (field: keyof IForm, value: string) => {
    let next = { ...form, [field]: value };
    if (isAway(next) !== isThere) {
      next = { ...next, cwd: otherDirectory.current };
      otherDirectory.current = form.cwd;
    }
    setForm(next);
    props.onChange(next, field);
  };
  const recall = useRecall(commands, form.command, text => set('command', text));
  const bind = (field: keyof IForm) => ({
    name: field,
    value: form[field],
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      set(field, event.target.value)
  });
  const field = (name: keyof IForm) => ({ error: blamed === name ? refused?.reason : undefined });

  return (
    <div className="jp-PtyTasks-fields" ref={root}>
      {refused && !blamed && (
        <div role="alert" className="jp-PtyTasks-refused">
          {refused.message}
        </div>
      )}
      <Field
        {...field('command')}
        label={trans.__('Command')}
        hint={
          commands.length > 0
            ? trans.__('One or more shell command lines. Press ↑ for previous commands.')
            : trans.__('One or more shell command lines.')
        }
      >
        <textarea
          {...bind('command')}
          rows={3}
          spellCheck={false}
          autoCapitalize="off"
          placeholder="python train.py"
          onKeyDown={recall}
        />
      </Field>
      <Field
        {...field('name')}
        label={trans.__('Name')}
        hint={trans.__('If empty, the task is named after its command.')}
      >
        <input {...bind('name')} type="text" autoComplete="off" />
      </Field>
      <Field
        {...field('cwd')}
        label={trans.__('Working directory')}
        hint={
          isThere
            ? trans.__('Absolute, or relative to your home directory there.')
            : trans.__('Absolute, or relative to the server root.')
        }
        beside={
          onBrowse && (
            <button type="button" onClick={onBrowse}>
              {trans.__('Browse…')}
            </button>
          )
        }
      >
        <input
          {...bind('cwd')}
          type="text"
          autoComplete="off"
          spellCheck={false}
          placeholder={isThere ? trans.__('Home directory') : trans.__('Server root')}
        />
      </Field>
      <PlaceFields
        form={form}
        places={places}
        optionsOf={optionsOf}
        queues={queues}
        onChange={set}
        error={name => field(name).error}
        trans={trans}
      />
      <details open={startsOpen} ref={details}>
        <summary>{trans.__('More options')}</summary>
        {!isAgain && (
          <div className="jp-PtyTasks-pair">
            <Field
              {...field('after')}
              label={trans.__('After')}
              hint={trans.__(
                'Tasks that must succeed first, comma-separated. Add “:any” to allow any end.'
              )}
            >
              <input {...bind('after')} type="text" autoComplete="off" list={tasksId} />
            </Field>
            <Field
              {...field('not_before')}
              label={trans.__('Not before')}
              hint={trans.__('In the time zone of this browser.')}
            >
              <input {...bind('not_before')} type="datetime-local" />
            </Field>
          </div>
        )}
        <datalist id={tasksId}>
          {[...new Set(tasks)].map(task => (
            <option key={task} value={task} />
          ))}
        </datalist>
        <div className="jp-PtyTasks-pair">
          {!isAgain && (
            <Field
              {...field('retry')}
              label={trans.__('Retries')}
              hint={trans.__('How many times it runs again if it fails, first after 30 s.')}
            >
              <input {...bind('retry')} type="number" min={0} max={1000} placeholder="0" />
            </Field>
          )}
          <Field
            {...field('timeout')}
            label={trans.__('Time limit')}
            hint={trans.__('For example 90 (seconds), 30m or 1h30m.')}
          >
            <input
              {...bind('timeout')}
              type="text"
              autoComplete="off"
              placeholder={trans.__('No limit')}
            />
          </Field>
        </div>
        <Field
          {...field('env')}
          label={trans.__('Environment')}
          hint={
            isAgain
              ? trans.__(
                  'One NAME=value per line: only what changes. All other variables are kept.'
                )
              : trans.__('One NAME=value per line.')
          }
        >
          <textarea {...bind('env')} rows={2} spellCheck={false} autoCapitalize="off" />
        </Field>
        <div className="jp-PtyTasks-pair">
          {(!hasQueue(form.place, places) || [NOW, HELD].includes(form.start)) && (
            <Field {...field('group')} label={trans.__('Group')}>
              <input
                {...bind('group')}
                type="text"
                autoComplete="off"
                list={groupsId}
                placeholder="default"
              />
            </Field>
          )}
          <Field {...field('tags')} label={trans.__('Tags')} hint={trans.__('Comma-separated.')}>
            <input {...bind('tags')} type="text" autoComplete="off" />
          </Field>
        </div>
        <datalist id={groupsId}>
          {groups.map(group => (
            <option key={group} value={group} />
          ))}
        </datalist>
        {!isAgain && (
          <div className="jp-PtyTasks-pair">
            <Field
              {...field('if_exists')}
              label={trans.__('If a running task has this name')}
              hint={trans.__('Only applies if a name is given.')}
            >
              <select
                name="if_exists"
                value={form.if_exists}
                onChange={event => set('if_exists', event.target.value)}
              >
                <option value="new">{trans.__('Start another task')}</option>
                <option value="return">{trans.__('Use the running task')}</option>
                <option value="restart">{trans.__('Restart the running task')}</option>
                <option value="fail">{trans.__('Do not start')}</option>
              </select>
            </Field>
          </div>
        )}
      </details>
    </div>
  );
}

/** As in a shell: ↑ on the first line recalls the previous command, ↓ on the last line the next one. */
function useRecall(
  commands: readonly string[],
  typed: string,
  take: (text: string) => void
): React.KeyboardEventHandler<HTMLTextAreaElement> {
  const place = useRef({ index: -1, draft: '' });
  return event => {
    const { value, selectionStart, selectionEnd } = event.currentTarget;
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!isPlain || selectionStart !== selectionEnd || event.nativeEvent.isComposing) {
      return;
    }
    const { index, draft } = place.current;
    if (typed !== (index < 0 ? draft : commands[index])) {
      place.current = { index: -1, draft: typed };
    }
    const now = place.current;
    const isUp = event.key === 'ArrowUp' && !value.slice(0, selectionStart).includes('\n');
    const isDown = event.key === 'ArrowDown' && !value.slice(selectionEnd).includes('\n');
    const next = now.index + (isUp ? 1 : isDown ? -1 : 0);
    if (next === now.index || next < -1 || next >= commands.length) {
      return;
    }
    event.preventDefault();
    now.index = next;
    take(next < 0 ? now.draft : commands[next]);
  };
}
