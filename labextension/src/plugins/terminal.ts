/** Opens tasks in terminal tabs. */

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { commandIfPresent } from '../commands/ifpresent';
import { openMenu } from '../commands/menu';
import { addTerminalCommands } from '../commands/terminal';
import { isExplained } from '../format/why';
import { TerminalSettings } from '../terminal/settings';
import { CommandIDs, ITaskModel, ITasksPanel } from '../tokens';
import type { TaskTab } from '../widgets/terminal/terminal';
import { currentTasks } from './current';

/** The commands that scroll to the commands of a shell. */
const JUMPS: readonly string[] = [CommandIDs.previousCommand, CommandIDs.nextCommand];

/** The context menu of a tab, in groups. */
const MENU: readonly (readonly string[])[] = [
  [CommandIDs.copySelection, CommandIDs.paste],
  JUMPS,
  [CommandIDs.showOutput, CommandIDs.showMoments],
  [CommandIDs.stop, CommandIDs.kill, CommandIDs.pause, CommandIDs.resume, CommandIDs.restart],
  [CommandIDs.runAgain, CommandIDs.editAgain, CommandIDs.details],
  [
    CommandIDs.showMetrics,
    CommandIDs.rename,
    CommandIDs.copyId,
    CommandIDs.copyCommand,
    CommandIDs.copyOutputPath,
    CommandIDs.download,
    CommandIDs.downloadRecording
  ]
];

const PALETTE: readonly string[] = [
  CommandIDs.showReason,
  CommandIDs.showOutput,
  CommandIDs.showMoments,
  ...JUMPS
];

/** Lists with rows that open terminals. */
const LISTS = '.jp-PtyTasks-list, .jp-PtyTasks-runs-table';

export const terminalPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:terminal',
  description: 'Opens background tasks in terminal tabs.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [
    ITasksPanel,
    ILabShell,
    ILayoutRestorer,
    ISettingRegistry,
    IThemeManager,
    ICommandPalette,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    panel: ITasksPanel | null,
    lab: ILabShell | null,
    restorer: ILayoutRestorer | null,
    registry: ISettingRegistry | null,
    themes: IThemeManager | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const settings = new TerminalSettings(registry);
    const tracker = new WidgetTracker<TaskTab>({ namespace: 'ptytasks' });
    const find = (id: string, readonly: boolean): TaskTab | undefined =>
      tracker.find(tab => tab.taskId === id && tab.isReadonly === readonly);

    /** Return the tab of a task. Create it if there is none. */
    const create = async (id: string, readonly: boolean, activate: boolean): Promise<TaskTab> => {
      // The terminal module is large: load it on demand.
      const [{ TaskTab }] = await Promise.all([
        import('../widgets/terminal/terminal'),
        settings.ready
      ]);
      const there = find(id, readonly);
      if (there) {
        return there;
      }
      const tab = new TaskTab({
        id,
        readonly,
        model,
        settings: settings.options,
        actions: {
          showMetrics: commandIfPresent(commands, CommandIDs.showMetrics, { id }),
          stop: commandIfPresent(commands, CommandIDs.stop, { id }),
          restart: commandIfPresent(commands, CommandIDs.restart, { id }),
          details: commandIfPresent(commands, CommandIDs.details, { id }),
          runAgain: commandIfPresent(commands, CommandIDs.runAgain, { id }),
          editAgain: commandIfPresent(commands, CommandIDs.editAgain, { id })
        },
        onContextMenu: event => onContextMenu(commands, event, id),
        onKeyDown: event => {
          if (tab.hasEnded && isFind(event)) {
            // No program is left to receive the key.
            event.preventDefault();
            event.stopPropagation();
            void tab.showWhole({ search: true });
            return;
          }
          jumpByKey(commands, event);
        },
        translator: translator ?? nullTranslator
      });
      if (activate) {
        tab.begin();
      }
      // The main area of Notebook 7 holds only the document.
      shell.add(tab, lab ? 'main' : 'down', { type: 'Task', activate: false });
      void tracker.add(tab);
      return tab;
    };

    const show = async (id: string, readonly: boolean): Promise<TaskTab> => {
      const tab = await create(id, readonly, true);
      shell.activateById(tab.id);
      return tab;
    };

    addTerminalCommands({
      commands,
      trans,
      open: async (id, readonly, activate) => {
        await (activate ? show(id, readonly) : create(id, readonly, false));
      },
      showOutput: async (ref, place) => {
        await model.current();
        const task = model.get(ref) ?? model.tasks.find(({ name }) => name === ref);
        await (await show(task?.id ?? ref, false)).showWhole(place);
      },
      showMoments: async id => (await show(id, false)).showMoments(),
      showReason: async id => (await show(id, false)).showReason(),
      isExplained: id => {
        const task = model.get(id);
        return task !== undefined && isExplained(task);
      },
      targets: () => currentTasks(shell, model, panel).map(task => task.id),
      current: () => {
        const tab = tracker.currentWidget;
        return tab && { terminal: tab.content, isReadonly: tab.connection.isReadonly };
      },
      jumper: () => {
        const tab = tracker.currentWidget;
        return tab?.hasCommands ? tab : null;
      }
    });
    const category = trans.__('Tasks');
    PALETTE.forEach(command => palette?.addItem({ command, category }));

    settings.changed.connect(() => tracker.forEach(tab => tab.configure(settings.options)));
    themes?.themeChanged.connect(() =>
      // Setting the theme again, even the same one, makes the terminal read the new colors.
      tracker.forEach(tab => tab.configure({ theme: tab.content.getOption('theme') }))
    );
    preloadSoon(model, () => tracker.size === 0);
    void showLinked(app, commands);
    if (restorer) {
      void restorer.restore(tracker, {
        command: CommandIDs.open,
        args: ({ taskId, isReadonly }) => ({ id: taskId, readonly: isReadonly, activate: false }),
        name: ({ taskId, isReadonly }) => (isReadonly ? `${taskId}:readonly` : taskId)
      });
    }
  }
};

/** Load the terminal modules when the pointer or the focus enters a list of tasks: a click on a row may follow soon. */
function preloadSoon(model: ITaskModel, isWanted: () => boolean): void {
  const events = ['pointerover', 'focusin'];
  const look = ({ target }: Event): void => {
    if (!(target instanceof Element) || !target.closest(LISTS)) {
      return;
    }
    events.forEach(event => document.removeEventListener(event, look));
    Promise.all([import('../widgets/terminal/preload'), import('../widgets/terminal/terminal')])
      .then(([{ preload }]) => preload(model.api.serverSettings, isWanted))
      // Opening a terminal loads them again and reports errors.
      .catch(() => undefined);
  };
  events.forEach(event => document.addEventListener(event, look));
}

/** Return whether a key is the browser's shortcut to find text. */
function isFind(event: KeyboardEvent): boolean {
  const find = CommandRegistry.normalizeKeystroke('Accel F');
  return CommandRegistry.keystrokeForKeydownEvent(event) === find;
}

/** Jump to a command if the key is a shortcut for that: JupyterLab does not see keys that the terminal handles. */
function jumpByKey(commands: CommandRegistry, event: KeyboardEvent): void {
  const key = CommandRegistry.keystrokeForKeydownEvent(event);
  const isOurs = commands.keyBindings.some(
    ({ command, keys }) => JUMPS.includes(command) && keys.length === 1 && keys[0] === key
  );
  if (isOurs) {
    commands.processKeydownEvent(event);
  }
}

/** Show the line in the page's URL, which may be a link from `jupyter ptytasks grep`: `?ptytask=<id>&line=<number>`. */
async function showLinked(app: JupyterFrontEnd, commands: CommandRegistry): Promise<void> {
  const address = new URLSearchParams(window.location.search);
  const [id, line] = [address.get('ptytask'), Number(address.get('line') ?? NaN)];
  if (id) {
    await app.restored;
    await commands.execute(CommandIDs.showOutput, Number.isNaN(line) ? { id } : { id, line });
  }
}

/** Open the context menu of a tab. JupyterLab's own terminal entries only work with its own terminals. */
function onContextMenu(commands: CommandRegistry, event: MouseEvent, id: string): void {
  if (event.shiftKey) {
    return; // the browser's menu
  }
  event.preventDefault();
  event.stopPropagation();
  openMenu(commands, MENU, { id }, event.clientX, event.clientY);
}
