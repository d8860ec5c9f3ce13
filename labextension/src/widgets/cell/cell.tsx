/** The renderer of tasks in cell output. The output only refers to a task, so the renderer can show its current state. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { TaskFollower } from '../../services/follower';
import { bundleSchema, type IBundle } from '../../services/types/tasks';
import type { ITaskModel } from '../../tokens';
import type { IViewActions, TaskView } from './taskview';

/** The MIME type of an output that refers to a task. */
export const MIME_TYPE = 'application/vnd.jupyter.ptytask+json';

/** Renders one output. It makes no requests while it is not visible. */
export class TaskCell extends ReactWidget implements IRenderMime.IRenderer {
  constructor(private readonly _options: TaskCell.IOptions) {
    super();
    this.addClass('jp-PtyTasks-output');
    this._trans = _options.translator.load('jupyter_ptytasks');
  }

  /** Render the output, which may refer to another task after an update. */
  async renderModel(output: IRenderMime.IMimeModel): Promise<void> {
    const { success, data } = bundleSchema.safeParse(output.data[MIME_TYPE]);
    this._bundle = success ? data : null;
    this._plain = `${output.data['text/plain'] ?? ''}`;
    // Load it with the first output: most pages have none.
    const { followerOf, TaskView } = await import('./taskview');
    if (this.isDisposed) {
      return;
    }
    this._View = TaskView;
    const id = this._bundle?.task.id;
    if (id !== this._id) {
      this._id = id;
      this._follower?.dispose();
      this._follower = id === undefined ? null : followerOf(id, this._options.model);
    }
    this.node.dataset.ptytask = id ?? '';
    this.update();
  }

  override dispose(): void {
    this._follower?.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element | null {
    const { model, actions, sanitizer, translator } = this._options;
    const View = this._View;
    if (!View) {
      return null;
    }
    if (!this._bundle || !this._follower) {
      return <Unreadable plain={this._plain} trans={this._trans} />;
    }
    return (
      <View
        key={this._id}
        bundle={this._bundle}
        follower={this._follower}
        model={model}
        actions={actions}
        sanitizer={sanitizer}
        translator={translator}
      />
    );
  }

  private readonly _trans: TranslationBundle;
  private _View: typeof TaskView | null = null;
  private _bundle: IBundle | null = null;
  private _plain = '';
  private _id: string | undefined;
  private _follower: TaskFollower | null = null;
}

export namespace TaskCell {
  export interface IOptions {
    model: ITaskModel;
    actions: IViewActions;
    sanitizer: IRenderMime.ISanitizer;
    translator: ITranslator;
  }
}

/** An output of a newer version, or of another program. */
function Unreadable(props: { plain: string; trans: TranslationBundle }): JSX.Element {
  const { plain, trans } = props;
  return (
    <div className="jp-PtyTasks-unreadable">
      <p>{trans.__('This output refers to a task in a format that is not supported here.')}</p>
      {plain && <pre>{plain}</pre>}
    </div>
  );
}
