/** The tab that charts the metrics of one task, or of several over one another. */

import { MainAreaWidget } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import '../../../style/metrics.css';

import { metricsIcon } from '../../icons';
import { CurveFollower } from '../../services/curves';
import { WatchedValue } from '../../services/watchedvalue';
import type { ITaskModel } from '../../tokens';
import { DRAWING, type IDrawing } from './controls';
import { MOST, readLook, type ILook } from './look';
import { MetricsView } from './view';

/** Counts the tabs: the charts of one tab share a cursor. */
let count = 0;

/** The tab. It makes requests while it is visible. */
export class MetricsTab extends MainAreaWidget<ReactWidget> {
  constructor(private readonly _options: MetricsTab.IOptions) {
    const { model, open, translator } = _options;
    const trans = translator.load('jupyter_ptytasks');
    const ids = _options.ids.slice(0, MOST);
    const follower = new CurveFollower({ ids, model });
    const look = new WatchedValue<ILook | null>(null);
    const content = ReactWidget.create(
      <MetricsView
        ids={ids}
        omitted={_options.ids.length - ids.length}
        model={model}
        follower={follower}
        drawing={new WatchedValue<IDrawing>(DRAWING)}
        look={look}
        group={`jp-ptytasks-metrics-${++count}`}
        open={open}
        trans={trans}
      />
    );
    super({ content, translator });
    this._follower = follower;
    this._look = look;
    content.addClass('jp-PtyTasks-metrics');
    this.toolbar.hide();
    this.title.icon = metricsIcon;
    if (ids.length === 1) {
      // Commands without arguments are about this task.
      this.node.dataset.ptytask = ids[0];
    }
    model.changed.connect(this._retitle, this);
    this._retitle();
  }

  /** The ids of the tasks, including those beyond the most that can be shown. */
  get ids(): readonly string[] {
    return this._options.ids;
  }

  /** Apply the colors of the theme. */
  restyle(): void {
    this._look.value = readLook(this.content.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._options.model.changed.disconnect(this._retitle, this);
      this._follower.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._onVisibility();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._onVisibility();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    document.addEventListener('visibilitychange', this._onVisibility);
    this.restyle();
    this._onVisibility();
  }

  protected override onBeforeDetach(message: Message): void {
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._follower.isActive = false;
    super.onBeforeDetach(message);
  }

  private readonly _onVisibility = (): void => {
    this._follower.isActive = this.isVisible && document.visibilityState === 'visible';
  };

  private _retitle(): void {
    const { ids, translator } = this._options;
    const trans = translator.load('jupyter_ptytasks');
    const names = ids.map(id => this._follower.name(id));
    this.title.label =
      ids.length === 1
        ? trans.__('Metrics of %1', names[0])
        : trans._n('Metrics of %1 task', 'Metrics of %1 tasks', ids.length);
    this.title.caption = names.join('\n');
  }

  private readonly _follower: CurveFollower;
  private readonly _look: WatchedValue<ILook | null>;
}

export namespace MetricsTab {
  export interface IOptions {
    /** The ids of the tasks, at least one. */
    ids: readonly string[];
    model: ITaskModel;
    /** Open the terminal of a task. */
    open?: (id: string) => void;
    translator: ITranslator;
  }
}
