/** How a notebook is run as a task (`python -m jupyter_ptytasks.execute`), and what can be set of it. Pure. */

import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { z } from 'zod';

import { directoryOf, quote, refusal } from './requests';
import type { ITaskRequest } from '../services/types';

/** A variable that the notebook is given; the value as it is typed: JSON, True, False or None, or else text. */
export interface IParameter {
  name: string;
  value: string;
}

/** The fields of the dialog, as they were typed. */
export interface INotebookForm {
  /** Where the executed copy goes, as seen from the directory of the notebook. */
  output: string;
  name: string;
  /** The name of a kernel; empty for that of the notebook. */
  kernel: string;
  parameters: readonly IParameter[];
}

/** As much of the format of notebooks as matters: a cell's source may be a list of lines. */
const notebookSchema = z.object({
  cells: z.array(
    z.object({
      cell_type: z.string(),
      metadata: z.object({ tags: z.array(z.string()).catch([]) }),
      source: z.union([z.string(), z.array(z.string()).transform(lines => lines.join(''))])
    })
  )
});

/** An assignment of a literal: a number, a word, a text without escapes, a list. What is annotated to it does not matter. */
const ASSIGNMENT =
  /^([\p{L}_][\p{L}\p{N}_]*)\s*(?::[^=]*)?=\s*(?:([-+]?[\d._]+(?:[eE][-+]?\d+)?)|(True|False|None)|'([^'\\]*)'|"([^"\\]*)"|(\[.*\]|\{.*\}))\s*(?:#.*)?$/u;

/** What a variable is called, in Python. */
const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** The fields for a notebook, its content as the server gives it. */
export function notebookForm(path: string, content: unknown): INotebookForm {
  const name = PathExt.basename(path);
  const parsed = notebookSchema.safeParse(content);
  return {
    output: `${PathExt.basename(name, PathExt.extname(name))}.executed.ipynb`,
    name,
    kernel: '',
    parameters: parsed.success ? parametersOf(parsed.data.cells) : []
  };
}

/**
 * The request that the fields make; parameters that are as the notebook has them are left to it. Throws a TaskError
 * that names the field to blame.
 */
export function notebookRequest(
  path: string,
  form: INotebookForm,
  given: readonly IParameter[],
  trans: TranslationBundle
): ITaskRequest {
  const words = ['"$PTYTASK_PYTHON" -m jupyter_ptytasks.execute', file(PathExt.basename(path))];
  if (form.output.trim()) {
    words.push('--output', file(form.output.trim()));
  }
  if (form.kernel) {
    words.push('--kernel', quote(form.kernel));
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
      words.push('-p', name, quote(argument(value)));
    }
  });
  const directory = PathExt.dirname(path);
  return {
    command: words.join(' '),
    name: form.name.trim() || PathExt.basename(path),
    ...(directory && { cwd: directoryOf(directory) }),
    if_exists: 'new'
  };
}

/** What the first cell that is tagged `parameters` sets, line by line. */
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
      // Text that looks like something else needs its quotes.
      found.set(name, isText(text) ? text : JSON.stringify(text));
    } else if (value !== undefined && !isText(value)) {
      found.set(name, value);
    }
  }
  return [...found].map(([name, value]) => ({ name, value }));
}

/** A number of Python, as JSON has it. */
function numeral(text: string): string {
  const plain = text.replace(/_/g, '').replace(/^\+/, '');
  return isJson(plain) ? plain : `${Number(plain)}`;
}

/** Whether it would be taken for text: for it is nothing else. */
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

/** A value that is not taken for an option, though it may begin with a dash. */
function argument(value: string): string {
  if (!value.startsWith('-')) {
    return value;
  }
  return isText(value) ? JSON.stringify(value) : ` ${value}`;
}

function file(name: string): string {
  return quote(name.startsWith('-') ? `./${name}` : name);
}
