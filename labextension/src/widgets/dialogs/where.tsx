/** The fields of a dialog that choose where a task runs, and the resources that it requests there. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useId, useState } from 'react';

import { placeAdvice, placeName, placeState } from '../../format/places';
import type { IStart } from '../../forms/start';
import { ASKED, YES, hasQueue, resourceField, type Asked, type IWhere } from '../../forms/where';
import type { IStanding } from '../../services/queue';
import { LOCAL, type IPlace, type IPlaceOptions } from '../../services/types/places';
import { Field } from './field';
import { StartField } from './start';

/** The places that a dialog offers. */
export interface IPlaces {
  places: readonly IPlace[];
  /** Return the options of a place. */
  optionsOf: (place: string) => Promise<IPlaceOptions>;
}

interface IWhereFieldProps extends IPlaces {
  form: IWhere;
  onChange: (field: keyof IWhere, value: string) => void;
  /** Return why the value of a field is not accepted. */
  error: (field: keyof IWhere) => string | undefined;
  trans: TranslationBundle;
}

export interface IPlaceFieldsProps extends IPlaces {
  form: IWhere & IStart;
  /** The groups whose tasks wait for their turns. */
  queues: readonly IStanding[];
  onChange: (field: keyof IWhere | keyof IStart, value: string) => void;
  /** Return why the value of a field is not accepted. */
  error: (field: keyof IWhere | keyof IStart) => string | undefined;
  trans: TranslationBundle;
}

/** Where a task runs, its resources and, if tasks can wait there, when it starts. */
export function PlaceFields(props: IPlaceFieldsProps): JSX.Element {
  const { form, places } = props;
  return (
    <>
      <WhereField {...props} />
      {hasQueue(form.place, places) && <StartField {...props} isElsewhere={form.place !== LOCAL} />}
      <ResourcesField {...props} />
    </>
  );
}

/** The choice of a place; nothing if there is only one. */
function WhereField(props: IWhereFieldProps): JSX.Element | null {
  const { form, places, onChange, error, trans } = props;
  if (places.length < 2) {
    return null;
  }
  const chosen = places.find(({ name }) => name === form.place);
  return (
    <Field
      label={trans.__('Where')}
      hint={chosen && placeAdvice(chosen, trans)}
      error={error('place')}
    >
      <select
        name="place"
        value={form.place}
        onChange={event => onChange('place', event.target.value)}
      >
        {places.map(place => (
          <option key={place.name} value={place.name}>
            {placeLabel(place, trans)}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** The resources that the chosen place accepts; nothing if it accepts none. */
function ResourcesField(props: IWhereFieldProps): JSX.Element | null {
  const chosen = props.places.find(({ name }) => name === props.form.place);
  return chosen && chosen.resources.length > 0 ? (
    <Resources {...props} key={chosen.name} place={chosen} />
  ) : null;
}

function placeLabel(place: IPlace, trans: TranslationBundle): string {
  const name = placeName(place.name, trans);
  const state = placeState(place, trans);
  return state ? trans.__('%1 (%2)', name, state) : name;
}

/** The resources, in a section that is open at first if any is set. */
function Resources(props: IWhereFieldProps & { place: IPlace }): JSX.Element {
  const { form, place, onChange, error, optionsOf, trans } = props;
  const [options, setOptions] = useState<IPlaceOptions>({ partitions: [], accounts: [], qos: [] });
  const asked = ASKED.filter(name => place.resources.includes(name));
  const [startsOpen] = useState(() => asked.some(name => form[resourceField(name)] !== ''));
  const isBlamed = asked.some(name => error(resourceField(name)) !== undefined);
  const listId = useId();
  useEffect(() => {
    let isCurrent = true;
    optionsOf(place.name).then(
      found => isCurrent && setOptions(found),
      () => undefined // without suggestions
    );
    return () => {
      isCurrent = false;
    };
  }, [place.name]);
  const usual = options.partitions.find(one => one.default)?.name;
  const lists: Partial<Record<Asked, readonly string[]>> = {
    partition: options.partitions.map(({ name }) => name),
    account: options.accounts,
    qos: options.qos
  };
  const about = texts(trans);
  const choose = (field: keyof IWhere, no: string, yes: string): JSX.Element => (
    <select
      name={field}
      value={form[field]}
      onChange={event => onChange(field, event.target.value)}
    >
      <option value="">{no}</option>
      <option value={YES}>{yes}</option>
    </select>
  );
  return (
    <details open={startsOpen || isBlamed}>
      <summary>{trans.__('Resources')}</summary>
      <div className="jp-PtyTasks-pair">
        {asked.map(name => (
          <Field
            key={name}
            label={about[name].label}
            hint={about[name].hint}
            error={error(resourceField(name))}
          >
            {name === 'requeue' ? (
              choose(resourceField(name), trans.__('No'), trans.__('Yes'))
            ) : (
              <input
                name={resourceField(name)}
                type="text"
                inputMode={name === 'cpus' || name === 'nodes' ? 'numeric' : undefined}
                autoComplete="off"
                spellCheck={false}
                list={lists[name]?.length ? `${listId}-${name}` : undefined}
                placeholder={(name === 'partition' && usual) || trans.__('Default')}
                value={form[resourceField(name)]}
                onChange={event => onChange(resourceField(name), event.target.value)}
              />
            )}
          </Field>
        ))}
      </div>
      {asked.map(
        name =>
          lists[name] && (
            <datalist key={name} id={`${listId}-${name}`}>
              {lists[name]?.map(one => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )
      )}
    </details>
  );
}

function texts(trans: TranslationBundle): Record<Asked, { label: string; hint?: string }> {
  return {
    cpus: { label: trans.__('CPUs') },
    memory: { label: trans.__('Memory'), hint: trans.__('For example 16G.') },
    gpus: { label: trans.__('GPUs'), hint: trans.__('A number, or a type such as a100:2.') },
    time: {
      label: trans.__('Run time'),
      hint: trans.__('For example 2h. The task is ended after that.')
    },
    partition: { label: trans.__('Partition') },
    nodes: { label: trans.__('Nodes') },
    account: { label: trans.__('Account') },
    qos: { label: trans.__('Quality of service') },
    constraint: { label: trans.__('Constraint') },
    reservation: { label: trans.__('Reservation') },
    begin: {
      label: trans.__('Earliest start'),
      hint: trans.__('For example now+2hours or 18:00.')
    },
    requeue: {
      label: trans.__('Run again if interrupted'),
      hint: trans.__('When a node fails, or the job is preempted.')
    },
    extra: { label: trans.__('More options'), hint: trans.__('For example --exclusive.') }
  };
}
