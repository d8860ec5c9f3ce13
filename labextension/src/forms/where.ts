/** Where a new task runs, as people choose it, and what it asks for there. Pure. */

import { LOCAL, type IPlace, type IResources, type ITaskRequest } from '../services/types';

/** What can be asked for in the dialogs, in their order. */
export const ASKED = [
  'cpus',
  'memory',
  'gpus',
  'time',
  'partition',
  'nodes',
  'account',
  'qos',
  'constraint'
] as const;

export type Asked = (typeof ASKED)[number];

/** The name of a field, which is also what the server calls it. */
export type ResourceField = `resources.${Asked}`;

/** The values of the fields, as chosen and typed. */
export type IWhere = { place: string } & Record<ResourceField, string>;

/** Return the field of a resource. */
export function resourceField(name: Asked): ResourceField {
  return `resources.${name}`;
}

/** Return the values for a request. */
export function whereOf({ place, resources = {} }: ITaskRequest): IWhere {
  const fields = ASKED.map(name => [resourceField(name), `${resources[name] ?? ''}`]);
  return {
    place: place ?? LOCAL,
    ...(Object.fromEntries(fields) as Record<ResourceField, string>)
  };
}

/** Return the request with its place and resources. What the place does not take is omitted. */
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
      resources[name] = isCount(name, text) ? Number(text) : text;
    }
  }
  const isAsking = Object.keys(resources).length > 0;
  return { ...request, place: form.place, ...(isAsking && { resources }) };
}

/** Whether a text is sent as a number; of a time, these are seconds. */
function isCount(name: Asked, text: string): boolean {
  return ['cpus', 'nodes', 'time'].includes(name) && /^\d+$/.test(text);
}

/** Return the places that have the files of the server's machine. */
export function sharing(places: readonly IPlace[]): IPlace[] {
  return places.filter(place => !isElsewhere(place));
}

/** Whether a place has files of its own. */
export function isElsewhere(place: IPlace | undefined): boolean {
  return place?.kind === 'ssh';
}
