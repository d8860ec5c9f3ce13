/** The labels of a task, which can be changed at any time: as typed in fields, and as a request. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITaskChanges } from '../services/types/requests';
import type { ITask } from '../services/types/tasks';
import { parseTags, tagChanges } from './tags';
import { refusal } from './start';

/** The values of the fields. */
export interface ILabels {
  name: string;
  group: string;
  /** Separated by commas. */
  tags: string;
  pinned: boolean;
  /** A JSON object; empty for none. */
  metadata: string;
}

type Labeled = Pick<ITask, 'name' | 'group' | 'tags' | 'pinned' | 'metadata'>;

/** Return the values of the fields for a task. */
export function labelsOf({ name, group, tags, pinned, metadata }: Labeled): ILabels {
  const isEmpty = Object.keys(metadata).length === 0;
  return {
    name,
    group,
    tags: tags.join(', '),
    pinned,
    metadata: isEmpty ? '' : JSON.stringify(metadata, null, 2)
  };
}

/** Return the changes from the values of `task`. Throws a TaskError with the invalid field. */
export function changesOf(labels: ILabels, task: Labeled, trans: TranslationBundle): ITaskChanges {
  const before = labelsOf(task);
  return {
    ...(labels.name.trim() !== before.name && { name: labels.name.trim() }),
    ...(labels.group.trim() !== before.group && { group: labels.group.trim() }),
    ...tagChanges(task.tags, parseTags(labels.tags)),
    ...(labels.pinned !== before.pinned && { pinned: labels.pinned }),
    ...(labels.metadata !== before.metadata && { metadata: metadataOf(labels.metadata, trans) })
  };
}

function metadataOf(text: string, trans: TranslationBundle): Record<string, unknown> {
  if (text.trim() === '') {
    return {};
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Record<string, unknown>;
    }
  } catch {
    // The error below is clearer.
  }
  throw refusal('metadata', trans.__('Enter a JSON object, for example {"dataset": "v2"}'));
}
