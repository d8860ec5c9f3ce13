/** The choice of where a new task runs, and the resources that it requests there. Pure. */

import { LOCAL, type IPlace, type IResources } from '../services/types/places';
import type { ITaskRequest } from '../services/types/requests';

/** The resources in the dialogs, in order. */
export const ASKED = [
  'cpus',
  'memory',
  'gpus',
  'time',
  'partition',
  'nodes',
  'account',
  'qos',
  'constraint',
  'reservation',
  'begin',
  'requeue',
  'extra'
] as const;

export type Asked = (typeof ASKED)[number];

/** The name of a field, which is also what the server calls it. */
export type ResourceField = `resources.${Asked}`;

/** The values of the fields, as chosen and typed; those of yes-or-no resources are empty or `YES`. */
export type IWhere = { place: string } & Record<ResourceField, string>;

export const YES = 'yes';

/** Return the field of a resource. */
export function resourceField(name: Asked): ResourceField {
  return `resources.${name}`;
}

/** Return the values for a request. */
export function whereOf({ place = LOCAL, resources = {} }: ITaskRequest): IWhere {
  const fields = ASKED.map(name => [resourceField(name), typed(resources[name])]);
  return { place, ...(Object.fromEntries(fields) as Record<ResourceField, string>) };
}

/** Return the request with its place and resources. Resources that the place does not accept are omitted. */
export function withWhere(
  request: ITaskRequest,
  form: IWhere,
  places: readonly IPlace[]
): ITaskRequest {
  if (form.place === LOCAL) {
    return request;
  }
  const taken = places.find(({ name }) => name === form.place)?.resources ?? [];
  const resources: IResources = {};
  for (const name of ASKED) {
    const text = form[resourceField(name)].trim();
    if (text && taken.includes(name)) {
      resources[name] = meant(name, text);
    }
  }
  const isAsking = Object.keys(resources).length > 0;
  return {
    ...request,
    place: form.place,
    ...(isAsking && { resources })
  };
}

/** Return the value to send for the text of a field: numbers as such, times in seconds, options as a list. */
function meant(name: Asked, text: string): IResources[string] {
  if (name === 'requeue') {
    return text === YES;
  }
  if (name === 'extra') {
    return text.split(/\s+/);
  }
  const isCount = ['cpus', 'nodes', 'time'].includes(name) && /^\d+$/.test(text);
  return isCount ? Number(text) : text;
}

/** Return the text of a field for a value in a request. */
function typed(value: IResources[string] | undefined): string {
  if (typeof value === 'boolean') {
    return value ? YES : '';
  }
  return Array.isArray(value) ? value.join(' ') : `${value ?? ''}`;
}

/** Return the places that have the files of the server's machine. */
export function sharing(places: readonly IPlace[]): IPlace[] {
  return places.filter(place => !isElsewhere(place));
}

/** Whether the tasks of a place can be held, and wait for their turn. */
export function hasQueue(name: string, places: readonly IPlace[]): boolean {
  return name === LOCAL || places.some(place => place.name === name && place.queue);
}

/** Whether a place has its own files. */
export function isElsewhere(place: IPlace | undefined): boolean {
  return place !== undefined && !place.shares_files;
}
