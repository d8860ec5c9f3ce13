/** The dialogs that change the tags of tasks, relative to what they are by then. Loaded on demand. */

import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { parseTags, tagChanges } from '../forms/tags';
import type { TaskApi } from '../services/api';
import type { ITask } from '../services/types/tasks';

export class TagDialogs {
  constructor(
    private readonly _api: TaskApi,
    private readonly _trans: TranslationBundle
  ) {}

  /** Ask for the tags of a task, and change them. */
  async edit(task: ITask): Promise<void> {
    const { value } = await InputDialog.getText({
      title: this._trans.__('Edit Tags of “%1”', task.name),
      label: this._trans.__('Tags (comma-separated)'),
      text: task.tags.join(', '),
      okLabel: this._trans.__('Save')
    });
    if (value !== null) {
      await this._api.update(task.id, tagChanges(task.tags, parseTags(value)));
    }
  }

  /** Ask for tags, and add them to all tasks. */
  async add(tasks: readonly ITask[]): Promise<void> {
    const { value } = await InputDialog.getText({
      title: this._trans._n('Add Tags to %1 Task', 'Add Tags to %1 Tasks', tasks.length),
      label: this._trans.__('Tags (comma-separated)'),
      okLabel: this._trans.__('Add')
    });
    const added = parseTags(value ?? '');
    if (added.length > 0) {
      await this._api.updateAll(ids(tasks), { add_tags: added });
    }
  }

  /** Have some of the tags of the tasks chosen, and remove them from all. */
  async remove(tasks: readonly ITask[]): Promise<void> {
    const { value } = await InputDialog.getMultipleItems({
      title: this._trans._n('Remove Tags from %1 Task', 'Remove Tags from %1 Tasks', tasks.length),
      label: this._trans.__('Tags'),
      items: [...new Set(tasks.flatMap(task => task.tags))].sort(),
      okLabel: this._trans.__('Remove')
    });
    if (value && value.length > 0) {
      await this._api.updateAll(ids(tasks), { remove_tags: value });
    }
  }
}

function ids(tasks: readonly ITask[]): string[] {
  return tasks.map(task => task.id);
}
