/** Turns the Run Notebook dialog into a task request (`python -m jupyter_ptytasks.execute`). Pure. */

import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { z } from 'zod';

import { directoryOf } from './files';
import { startAt } from './requests';
import { PYTHON, quote, quoteFile, type Shell } from './shells';
import { AT_ONCE, refusal, withStart, type IStart } from './start';
import { whereOf, withWhere, type IWhere } from './where';
import type { IPlace } from '../services/types/places';
import type { ITaskRequest } from '../services/types/requests';

/** A parameter of the notebook. The value is as typed: JSON, True, False, None, or else text. */
export interface IParameter {
  name: string;
  value: string;
}

/** The values of the dialog's fields, as typed. */
export interface INotebookForm extends IStart, IWhere {
  /** The path of the executed copy, relative to the directory of the notebook. */
  output: string;
  name: string;
  /** The name of a kernel; empty for the notebook's own. */
  kernel: string;
  parameters: readonly IParameter[];
}

/** The part of the notebook format that is used here. The source of a cell may be a list of lines. */
const notebookSchema = z.object({
  cells: z.array(
    z.object({
      cell_type: z.string(),
      metadata: z.object({ tags: z.array(z.string()).catch([]) }),
      source: z.union([z.string(), z.array(z.string()).transform(lines => lines.join(''))])
    })
  )
});

/** Matches an assignment of a literal: a number, a constant, a string without escapes, a list; with or without annotation. */
const ASSIGNMENT =
  /^([\p{L}_][\p{L}\p{N}_]*)\s*(?::[^=]*)?=\s*(?:([-+]?[\d._]+(?:[eE][-+]?\d+)?)|(True|False|None)|'([^'\\]*)'|"([^"\\]*)"|(\[.*\]|\{.*\}))\s*(?:#.*)?$/u;

/** Matches a Python variable name. */
const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** Return the initial values for a notebook with this content. */
export function notebookForm(path: string, content: unknown): INotebookForm {
  const name = PathExt.basename(path);
  const parsed = notebookSchema.safeParse(content);
  return {
    ...AT_ONCE,
    ...whereOf({}),
    output: `${PathExt.basename(name, PathExt.extname(name))}.executed.ipynb`,
    name,
    kernel: '',
    parameters: parsed.success ? parametersOf(parsed.data.cells) : []
  };
}

/**
 * Return the request for the values. Parameters that are unchanged are omitted. Throws a TaskError with the invalid field.
 */
export function notebookRequest(
  path: string,
  form: INotebookForm,
  given: readonly IParameter[],
  trans: TranslationBundle,
  places: readonly IPlace[] = [],
  shell: Shell = 'sh'
): ITaskRequest {
  const words = [
    `${PYTHON[shell]} -m jupyter_ptytasks.execute`,
    quoteFile(PathExt.basename(path), shell)
  ];
  if (form.output.trim()) {
    words.push('--output', quoteFile(form.output.trim(), shell));
  }
  if (form.kernel) {
    words.push('--kernel', quote(form.kernel, shell));
  }
  const before = new Map(given.map(({ name, value }) => [name, value]));
  const names = new Set<string>();
  form.parameters.forEach((parameter, index) => {
    const name = parameter.name.trim();
    const value = parameter.value.trim();
    if (!name && !value) {
      return;
    }
    if (!NAME.test(name)) {
      throw refusal(`parameters.${index}`, trans.__('“%1” is not a valid variable name.', name));
    }
    if (names.has(name)) {
      throw refusal(`parameters.${index}`, trans.__('“%1” is used twice.', name));
    }
    names.add(name);
    if (before.get(name) !== value) {
      words.push('-p', name, quote(argument(value), shell));
    }
  });
  const directory = PathExt.dirname(path);
  const request: ITaskRequest = {
    command: words.join(' '),
    name: form.name.trim() || PathExt.basename(path),
    ...(directory && { cwd: directoryOf(directory) }),
    if_exists: 'new'
  };
  return withStart(withWhere(request, form, places), startAt(form, places), trans);
}

/** Return the parameters that the first cell tagged `parameters` assigns. */
function parametersOf(cells: z.infer<typeof notebookSchema>['cells']): IParameter[] {
  const cell = cells.find(
    ({ cell_type, metadata }) => cell_type === 'code' && metadata.tags.includes('parameters')
  );
  const found = new Map<string, string>();
  for (const line of cell?.source.split('\n') ?? []) {
    const [, name, number, word, single, double, json] = ASSIGNMENT.exec(line.trimEnd()) ?? [];
    const text = single ?? double;
    const value = number !== undefined ? numeral(number) : (word ?? json);
    if (text !== undefined) {
      // Text that looks like another type needs quotes.
      found.set(name, isText(text) ? text : JSON.stringify(text));
    } else if (value !== undefined && !isText(value)) {
      found.set(name, value);
    }
  }
  return [...found].map(([name, value]) => ({ name, value }));
}

/** Return a Python number as JSON. */
function numeral(text: string): string {
  const plain = text.replace(/_/g, '').replace(/^\+/, '');
  return isJson(plain) ? plain : `${Number(plain)}`;
}

/** Return whether a value is read as text. */
function isText(value: string): boolean {
  return !['True', 'False', 'None'].includes(value) && !isJson(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Return a value that is not read as an option even if it begins with a dash. */
function argument(value: string): string {
  if (!value.startsWith('-')) {
    return value;
  }
  return isText(value) ? JSON.stringify(value) : ` ${value}`;
}
