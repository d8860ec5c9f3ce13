/** The tab of the table of runs. */

import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget, spreadsheetIcon } from '@jupyterlab/ui-components';
import type { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import React from 'react';

import '../../../style/dialog.css';
import '../../../style/runs.css';

import { OutputSearch } from '../../services/outputsearch';
import { RunsSource } from '../../services/runs';
import type { IRunsViews } from '../../services/runsview';
import { WatchedValue } from '../../services/watchedvalue';
import type { ITaskModel } from '../../tokens';
import { NOTHING, type ISelection } from '../panel/selection';
import { RunsView, type IRunsViewProps } from './view';

export class RunsTab extends MainAreaWidget<ReactWidget> {
  constructor(options: RunsTab.IOptions) {
    const { model, views, actions, translator } = options;
    const trans = translator.load('jupyter_ptytasks');
    const source = new RunsSource(model);
    const search = new OutputSearch(model.api);
    const selection = new WatchedValue<ISelection>(NOTHING);
    const content = ReactWidget.create(
      <RunsView
        model={model}
        source={source}
        search={search}
        views={views}
        selection={selection}
        actions={actions}
        trans={trans}
      />
    );
    super({ content, translator });
    this._source = source;
    this._search = search;
    this.id = 'jp-ptytasks-runs';
    this.addClass('jp-PtyTasks-runs');
    content.addClass('jp-PtyTasks-body');
    this.title.label = trans.__('Runs');
    this.title.caption = trans.__('The table of all tasks');
    this.title.icon = spreadsheetIcon;
    this.title.closable = true;
    this.toolbar.hide();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._source.dispose();
      this._search.dispose();
      super.dispose();
    }
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.node.querySelector<HTMLElement>('[role=grid], .jp-PtyTasks-body button')?.focus();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._source.isActive = true;
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._source.isActive = this.isVisible;
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._source.isActive = false;
  }

  private readonly _source: RunsSource;
  private readonly _search: OutputSearch;
}

export namespace RunsTab {
  export interface IOptions {
    model: ITaskModel;
    views: WatchedValue<IRunsViews>;
    actions: IRunsViewProps['actions'];
    translator: ITranslator;
  }
}
