/** The tab of a task: JupyterLab's terminal widget with a header and a banner. */

import { MainAreaWidget } from '@jupyterlab/apputils';
import type { ITerminal, Terminal } from '@jupyterlab/terminal';
import type { ITranslator } from '@jupyterlab/translation';
import { caretDownIcon, terminalIcon } from '@jupyterlab/ui-components';
import { MessageLoop, type Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import '../../../style/terminal.css';

import { whenComplete } from '../../terminal/complete';
import { TaskConnection } from '../../terminal/connection';
import { EndKeeper } from '../../terminal/endkeeper';
import type { CommandMarks } from '../../terminal/marks';
import { stateLabel } from '../../format/times';
import { commandLine } from '../../services/types/tasks';
import type { ITaskModel } from '../../tokens';
import { markCommands, resize, screenOf, showLine, watch, whenDrawn } from '../../terminal/xterm';
import { TaskBanner, type IBannerActions } from './banner';
import { TerminalCover } from './cover';
import { newest, TaskHeader, type IHeaderActions } from './header';
import { EarlierLines, jumpButton } from './jumps';
import { TaskScreen } from './screen';
import { TaskSummary } from './summary';
import { WaitingPage } from './waiting';
import type { IPlaceInOutput } from './whole';

/** Milliseconds before the terminal takes the size of another viewer: after a reconnection, this one may set it again. */
const SETTLED = 500;

/** Milliseconds after which the terminal is shown even without content: there may be no connection. */
const EMPTY = 500;

/** Options that override the user's terminal settings: a task does not end with its tab. */
const ALWAYS = { closeOnExit: false, shutdownOnClose: false, initialCommand: '' };

/** The class of a tab with commands to jump to; the shortcuts apply to it only. */
const HAS_COMMANDS = 'jp-mod-commands';

/** The tab of a task. Its node has the task's id as `data-ptytask`. Closing it does not affect the task. */
export class TaskTab extends MainAreaWidget<TaskScreen> {
  constructor(options: TaskTab.IOptions) {
    const { id, model, readonly, translator } = options;
    const connection = new TaskConnection({ id, api: model.api, readonly });
    const settings = { ...options.settings, ...ALWAYS };
    const terminal = new TaskScreen(connection, settings, translator);
    super({ content: terminal, reveal: terminal.ready, translator });
    this.taskId = id;
    this.isReadonly = readonly;
    this.connection = connection;
    this._model = model;
    this._translator = translator;
    this._settings = settings;
    connection.whenDrawn = done => whenDrawn(terminal, done);

    this.addClass('jp-PtyTasks-terminal');
    this.node.dataset.ptytask = id;
    const trans = translator.load('jupyter_ptytasks');
    this.toolbar.hide();
    const summary = new TaskSummary({ model, connection, trans });
    this.contentHeader.addWidget(
      new TaskHeader({
        model,
        connection,
        actions: options.actions,
        summary,
        onAnswered: () => terminal.activate(),
        trans
      })
    );
    const onShow = () => void this.showReason();
    const { actions } = options;
    this.contentHeader.addWidget(summary);
    this.contentHeader.addWidget(new TaskBanner({ model, connection, onShow, actions, trans }));

    this._waiting = new WaitingPage({ model, connection, onChange: () => this._uncover(), trans });
    this._cover = new TerminalCover({
      id,
      api: model.api,
      isCut: () => (model.get(id)?.output.start ?? 0) > 0,
      node: terminal.node,
      onChange: () => this._uncover(),
      translator
    });
    this._end = new EndKeeper(screenOf(terminal), terminal.node);
    this._addJump(trans.__('Jump to End'), trans.__('Jump to the end of the output'));
    const earlier = new EarlierLines({
      terminal,
      hasEnded: () => this.hasEnded,
      total: async () => (await model.api.lines(id, { mode: 'tail', tail_lines: '0' })).total_lines,
      onShow: () => void this.showWhole(),
      trans
    });
    void terminal.opened.then(() => this._uncover());
    void terminal.ready.then(() => {
      watch(
        terminal,
        () => {
          this._end.look();
          earlier.look();
        },
        () => this._end.noteIntent()
      );
      this._marks = markCommands(terminal, exit =>
        exit === 0
          ? trans.__('The command succeeded')
          : trans.__('The command failed (exit %1)', exit)
      );
      this._marks?.changed.connect(({ canJump }) => this.toggleClass(HAS_COMMANDS, canJump));
    });
    // A terminal that is larger than its container scrolls within it.
    terminal.node.addEventListener('scroll', () => this._end.look());

    this.node.addEventListener('contextmenu', options.onContextMenu);
    // In the capture phase, because the terminal handles every key that a program may want.
    this.node.addEventListener('keydown', options.onKeyDown, true);
    terminal.title.changed.connect(this._retitle, this);
    connection.changed.connect(this._onConnection, this);
    connection.replaying.connect(this._onReplay, this);
    model.changed.connect(this._onModel, this);
    this._retitle();
  }

  readonly taskId: string;
  readonly isReadonly: boolean;
  readonly connection: TaskConnection;

  /** Apply the user's terminal settings. */
  configure(settings: Partial<ITerminal.IOptions>): void {
    this._settings = { ...this._settings, ...settings };
    configure(this.content, settings);
    if (this._cover.still) {
      configure(this._cover.still, { ...settings, autoFit: false });
    }
  }

  /**
   * Scroll to the line that says why the task failed, and select it; if the terminal does not have it, scroll to the end. Waits
   * for all output first.
   */
  async showReason(): Promise<void> {
    const [{ lines }] = await Promise.all([
      this._model.api.why(this.taskId).catch(() => ({ lines: [] })),
      this._whenComplete()
    ]);
    if (this.isDisposed) {
      return;
    }
    this._end.noteIntent();
    // The last line is the message, the others give its location.
    if (![...lines].reverse().some(({ text }) => showLine(this.content, text))) {
      this._end.jump();
    }
    this._end.look();
    this.content.activate();
  }

  /** Show the whole output over the terminal: its end, a line, or a search. */
  async showWhole(place: IPlaceInOutput = {}): Promise<void> {
    await this._cover.showWhole(place);
  }

  /** Show earlier screens over the terminal, with a slider. */
  async showMoments(): Promise<void> {
    await this._cover.showMoments(this._settings);
  }

  /** Whether the task has ended, so that no program receives keys. */
  get hasEnded(): boolean {
    return this.connection.link === 'ended';
  }

  /** Whether there are commands to jump to: the shell marks them, and no full-screen program is shown. */
  get hasCommands(): boolean {
    return this._marks?.canJump ?? false;
  }

  /** Scroll to the prompt of the previous (-1) or next (1) command; after the last one, to the end. */
  jumpToCommand(step: -1 | 1): void {
    this._end.noteIntent();
    if (this._marks?.jump(step) === false && step > 0) {
      this._end.jump();
    }
    this._end.look();
    this.content.activate();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._marks?.dispose();
    this._waiting.dispose();
    this._cover.dispose();
    clearTimeout(this._opening);
    clearTimeout(this._settling);
    this._end.dispose();
    this._model.changed.disconnect(this._onModel, this);
    this.connection.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    Widget.attach(this._waiting, this.content.node);
    if (this.isVisible) {
      this.begin();
    }
  }

  protected override onBeforeDetach(message: Message): void {
    if (this._waiting.isAttached) {
      Widget.detach(this._waiting);
    }
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    if (this.isVisible) {
      this.begin();
    }
  }

  /** See `whenComplete`; also wait until the terminal is drawn. */
  private async _whenComplete(): Promise<void> {
    await whenComplete(this.connection);
    await this.content.opened;
    await new Promise<void>(resolve => whenDrawn(this.content, resolve));
  }

  /** Connect, when the tab is visible or about to be: the server answers while the tab is laid out. */
  begin(): void {
    if (!this._hasBegun) {
      this._hasBegun = true;
      this.connection.connect(this.content.ready);
      this._opening = setTimeout(() => this.content.open(), EMPTY);
    }
  }

  /** Make the terminal inert while something covers it, so that it takes no keys; focus it again afterwards. */
  private _uncover(): void {
    const screen = this.content.node.querySelector<HTMLElement>('.xterm');
    if (!screen) {
      return;
    }
    const isCovered = screen.inert;
    screen.inert = this._waiting.isWaiting || this._cover.widget !== null;
    const focused = document.activeElement;
    const isOurs = focused?.contains(this.node) || this.content.node.contains(focused);
    if (isCovered && !screen.inert && this.isVisible && isOurs) {
      this.content.activate();
    }
  }

  /** Add the button that is visible while the end of the output is not. */
  private _addJump(label: string, title: string): void {
    const button = jumpButton(caretDownIcon, label, title);
    button.addEventListener('click', () => {
      this._end.jump();
      this.content.activate();
    });
    this._end.changed.connect(end => {
      button.hidden = end.isAtEnd;
    });
    this.node.append(button);
  }

  /** Name the tab after its task, not after the title that the program sets. */
  private _retitle(): void {
    const trans = this._translator.load('jupyter_ptytasks');
    const task = newest(this._model, this.connection);
    const { title } = this;
    title.icon = terminalIcon;
    title.label = task?.name ?? this.taskId;
    title.className = task ? `jp-PtyTasks-tab jp-mod-${task.state}` : 'jp-PtyTasks-tab';
    title.caption = task
      ? trans.__('%1: %2\n%3', task.name, stateLabel(task.state, trans), commandLine(task))
      : this.taskId;
  }

  private _onModel(): void {
    this._retitle();
    const { connection } = this;
    const known = this._model.get(this.taskId);
    if (known) {
      this._wasKnown = true;
      if (connection.link === 'ended' && known.attempt > (connection.task?.attempt ?? 0)) {
        // With a full replay: older servers add a line about the end of the last attempt, which is not part of the output.
        void connection.reconnect();
      }
    } else if (this._wasKnown && !this._model.error && connection.link !== 'gone') {
      void connection.check();
    }
    if (connection.link === 'off' && !this._model.error) {
      // Tasks are available on the server again.
      connection.connect();
    }
  }

  private _onConnection(): void {
    this._retitle();
    clearTimeout(this._settling);
    this._settling = setTimeout(() => this._settle(), SETTLED);
    if (this.connection.link === 'ended') {
      // The model may know of a new attempt before the connection reports the end of the last one.
      this._onModel();
    }
  }

  /** Render a replay at its original size, then fit the terminal to its container again. */
  private _onReplay(_: TaskConnection, size: TaskConnection.ISize | null): void {
    // The previous scroll position no longer exists.
    this._end.jump();
    if (size) {
      resize(this.content, size.rows, size.cols);
      return;
    }
    this.content.open();
    if (this.content.getOption('autoFit') !== false) {
      MessageLoop.sendMessage(this.content, Widget.Msg.FitRequest);
    }
  }

  /** Fit the terminal to its container, or to the size of the task if another viewer sets that. Refresh the number of viewers. */
  private _settle(): void {
    const { connection, content } = this;
    const task = connection.link === 'connected' ? connection.task : undefined;
    const follows = task !== undefined && (connection.isFollowing || connection.isReadonly);
    content.setOption('autoFit', !follows);
    content.toggleClass('jp-mod-following', follows);
    if (follows) {
      resize(content, task.rows, task.cols);
    }
    // There are no events about viewers. After an error the model knows best when to ask again.
    if (task && !this._model.error && task.viewers !== this._model.get(task.id)?.viewers) {
      void this._model.refresh();
    }
  }

  private readonly _cover: TerminalCover;
  private _settings: Partial<ITerminal.IOptions>;
  private readonly _end: EndKeeper;
  private readonly _waiting: WaitingPage;
  private readonly _model: ITaskModel;
  private readonly _translator: ITranslator;
  private _marks: CommandMarks | null = null;
  private _hasBegun = false;
  private _wasKnown = false;
  private _opening: ReturnType<typeof setTimeout> | undefined;
  private _settling: ReturnType<typeof setTimeout> | undefined;
}

/** Apply the user's settings to a terminal, except for those in ALWAYS. */
function configure(terminal: Terminal, settings: Partial<ITerminal.IOptions>): void {
  void terminal.ready.then(() => {
    const names = Object.keys(settings) as (keyof ITerminal.IOptions)[];
    for (const name of names) {
      if (!terminal.isDisposed && !(name in ALWAYS)) {
        terminal.setOption(name, settings[name] as never);
      }
    }
  });
}

export namespace TaskTab {
  export interface IOptions {
    /** The id of the task. */
    id: string;
    readonly: boolean;
    model: ITaskModel;
    /** The user's terminal settings. */
    settings: Partial<ITerminal.IOptions>;
    actions: IHeaderActions & IBannerActions;
    onContextMenu: (event: MouseEvent) => void;
    /** Called with each key before the terminal handles it. */
    onKeyDown: (event: KeyboardEvent) => void;
    translator: ITranslator;
  }
}
