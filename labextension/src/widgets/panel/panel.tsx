/** The sidebar panel "Tasks". */

import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import React from 'react';

import { Clock } from '../../services/clock';
import { tasksIcon } from '../../icons';
import { LastLines } from '../../services/rowlines';
import { StorageWatch } from '../../services/storage';
import { WatchedValue } from '../../services/watchedvalue';
import type { ITask } from '../../services/types';
import type { ITaskModel, ITasksPanel } from '../../tokens';
import type { IView } from './filter';
import type { IRowActions } from './row';
import { NOTHING, type ISelection } from './selection';
import { TasksView } from './view';

export class TasksPanel extends SidePanel implements ITasksPanel {
  constructor(options: TasksPanel.IOptions) {
    super({ content: new Panel(), translator: options.translator });
    const { model, translator, actions } = options;
    const trans = translator.load('jupyter_ptytasks');
    this._model = model;
    this._lastLines = new LastLines(model);
    this._storage = new StorageWatch(model);
    this.id = 'jp-ptytasks-panel';
    this.addClass('jp-PtyTasks-panel');
    this.title.icon = tasksIcon;
    this.title.caption = trans.__('Tasks');
    this.title.dataset = { ...this.title.dataset, jpTabLabel: trans.__('Tasks') };
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Tasks'));
    this.toolbar.node.setAttribute('aria-label', trans.__('Task actions'));
    const body = ReactWidget.create(
      <TasksView
        model={model}
        view={this.view}
        selection={this._selection}
        clock={this._clock}
        lastLines={this._lastLines}
        storage={this._storage}
        trans={trans}
        onNew={actions.create}
        onOpen={actions.open}
        onRemove={() => {
          const ids = this.selected.map(task => task.id);
          if (ids.length > 0) {
            actions.remove(ids);
          }
        }}
        actions={actions.ofRow}
      />
    );
    body.addClass('jp-PtyTasks-body');
    this.addWidget(body);
    document.addEventListener('visibilitychange', this._onVisibility);
  }

  /** How the list is grouped. */
  readonly view = new WatchedValue<IView>({ grouping: 'none', collapsed: [] });

  /** The tasks that are selected, in no particular order. */
  get selected(): ITask[] {
    return [...this._selection.value.selected].flatMap(id => this._model.get(id) ?? []);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._clock.stop();
    this._lastLines.dispose();
    this._storage.dispose();
    super.dispose();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    const first = this.node.querySelector<HTMLElement>(
      '.jp-PtyTasks-list, .jp-PtyTasks-body button'
    );
    first?.focus();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._onVisibility();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._onVisibility();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._onVisibility();
  }

  protected override onAfterDetach(msg: Message): void {
    super.onAfterDetach(msg);
    this._onVisibility();
  }

  /** Nothing ticks and nothing is asked for a panel that nobody can see. */
  private readonly _onVisibility = (): void => {
    const isSeen = this.isVisible && document.visibilityState === 'visible';
    this._lastLines.isActive = isSeen;
    this._storage.isActive = isSeen;
    if (isSeen) {
      this._clock.start();
    } else {
      this._clock.stop();
    }
  };

  private readonly _model: ITaskModel;
  private readonly _lastLines: LastLines;
  private readonly _storage: StorageWatch;
  private readonly _clock = new Clock();
  private readonly _selection = new WatchedValue<ISelection>(NOTHING);
}

export namespace TasksPanel {
  export interface IOptions {
    model: ITaskModel;
    translator: ITranslator;
    actions: IActions;
  }

  /** What the panel has others do. */
  export interface IActions {
    /** Asks what to start; the command is a proposal. */
    create: (command?: string) => void;
    open: (id: string) => void;
    remove: (ids: string[]) => void;
    ofRow: WatchedValue<IRowActions>;
  }
}
