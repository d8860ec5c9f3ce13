/** The Tasks panel in the sidebar. */

import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import React from 'react';

import { Clock } from '../../services/clock';
import { tasksIcon } from '../../icons';
import { RowLines } from '../../services/rowlines';
import { StorageWatch } from '../../services/storage';
import { WatchedValue } from '../../services/watchedvalue';
import type { ITask } from '../../services/types/tasks';
import type { ISeenTasks, ITaskModel, ITasksPanel } from '../../tokens';
import { groupOfHeading, sweepOfHeading, type IFilter, type IView } from './filter';
import { Look } from './look';
import type { IRowActions } from './row';
import { NOTHING, type ISelection } from './selection';

/** Milliseconds before another attempt to load the module of the list. */
const AGAIN = 3000;

export class TasksPanel extends SidePanel implements ITasksPanel {
  constructor(private readonly _options: TasksPanel.IOptions) {
    super({ content: new Panel(), translator: _options.translator });
    const { model, translator } = _options;
    const trans = translator.load('jupyter_ptytasks');
    this._model = model;
    this._rowLines = new RowLines(model);
    this._storage = new StorageWatch(model);
    this.id = 'jp-ptytasks-panel';
    this.addClass('jp-PtyTasks-panel');
    this.title.icon = tasksIcon;
    this.title.caption = trans.__('Tasks');
    this.title.dataset = { ...this.title.dataset, jpTabLabel: trans.__('Tasks') };
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Tasks'));
    this.toolbar.node.setAttribute('aria-label', trans.__('Task actions'));
    document.addEventListener('visibilitychange', this._onVisibility);
  }

  /** Add the controls for the look of the list at the end of the toolbar. */
  addLook(): void {
    const { translator } = this._options;
    const look = ReactWidget.create(
      <Look view={this.view} trans={translator.load('jupyter_ptytasks')} />
    );
    look.addClass('jp-PtyTasks-look');
    this.toolbar.addItem('look', look);
  }

  /** The view options of the list. */
  readonly view = new WatchedValue<IView>({
    grouping: 'group',
    order: 'created',
    isCompact: false,
    collapsed: []
  });

  /** The filter of the list; null for all tasks. */
  readonly filter = new WatchedValue<IFilter | null>(null);

  /** The selected tasks, in no particular order. */
  get selected(): ITask[] {
    return [...this._selection.value.selected].flatMap(id => this._model.get(id) ?? []);
  }

  /** The group of the active row. */
  get group(): string | null {
    const { active } = this._selection.value;
    return active === null
      ? null
      : (groupOfHeading(active) ?? this._model.get(active)?.group ?? null);
  }

  /** The id of the sweep of the active row. */
  get sweep(): string | null {
    const { active } = this._selection.value;
    return active === null
      ? null
      : (sweepOfHeading(active) ?? this._model.get(active)?.sweep?.id ?? null);
  }

  announce(text: string): void {
    this._announced.value = text;
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    document.removeEventListener('visibilitychange', this._onVisibility);
    window.clearTimeout(this._timer);
    this._clock.stop();
    this._rowLines.dispose();
    this._storage.dispose();
    super.dispose();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    void this._loaded?.then(() => {
      const find = (selector: string) => this.node.querySelector<HTMLElement>(selector);
      (find('.jp-PtyTasks-list') ?? find('.jp-PtyTasks-body button'))?.focus();
    });
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

  /** Load the module of the list, and show it. Called when the panel is first visible, so as not to delay JupyterLab's start. */
  private async _load(): Promise<void> {
    const { TasksView } = await import('./view');
    if (this.isDisposed) {
      return;
    }
    const { model, seen, translator, actions } = this._options;
    const body = ReactWidget.create(
      <TasksView
        model={model}
        seen={seen}
        view={this.view}
        filter={this.filter}
        selection={this._selection}
        clock={this._clock}
        rowLines={this._rowLines}
        storage={this._storage}
        announced={this._announced}
        trans={translator.load('jupyter_ptytasks')}
        onNew={actions.create}
        onOpen={actions.open}
        onDelete={() => {
          const ids = this.selected.map(task => task.id);
          if (ids.length > 0) {
            actions.delete(ids);
          }
        }}
        actions={actions.ofRow}
        onRename={actions.rename}
      />
    );
    body.addClass('jp-PtyTasks-body');
    this.addWidget(body);
    await body.renderPromise;
  }

  /** The server is not reachable: try again while the panel is visible. */
  private _loadAgain(): void {
    this._loaded = null;
    if (!this.isDisposed) {
      this._timer = window.setTimeout(this._onVisibility, AGAIN);
    }
  }

  /** Stop the clock and all requests while the panel is not visible. */
  private readonly _onVisibility = (): void => {
    const isSeen = this.isVisible && document.visibilityState === 'visible';
    this._rowLines.isActive = isSeen;
    this._storage.isActive = isSeen;
    if (isSeen) {
      this._loaded ??= this._load().catch(() => this._loadAgain());
      this._clock.start();
    } else {
      this._clock.stop();
    }
  };

  private _loaded: Promise<void> | null = null;
  private _timer = 0;
  private readonly _model: ITaskModel;
  private readonly _rowLines: RowLines;
  private readonly _storage: StorageWatch;
  private readonly _clock = new Clock();
  private readonly _announced = new WatchedValue('');
  private readonly _selection = new WatchedValue<ISelection>(NOTHING);
}

export namespace TasksPanel {
  export interface IOptions {
    model: ITaskModel;
    seen: ISeenTasks | null;
    translator: ITranslator;
    actions: IActions;
  }

  /** The actions that the panel triggers. */
  export interface IActions {
    /** Open the New Task dialog, with a command if given. */
    create: (command?: string) => void;
    open: (id: string) => void;
    delete: (ids: string[]) => void;
    rename: (id: string) => void;
    ofRow: WatchedValue<IRowActions>;
  }
}
