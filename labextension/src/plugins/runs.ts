/** Adds the table of runs, a tab of the main area. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, InputDialog, WidgetTracker } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { spreadsheetIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { commandIfPresent } from '../commands/ifpresent';
import { openMenu } from '../commands/menu';
import { readViews, type IRunsViews } from '../services/runsview';
import { WatchedValue } from '../services/watchedvalue';
import { CommandIDs, ITaskModel } from '../tokens';
import type { RunsTab } from '../widgets/runs/runs';
import type { IBulkAction } from '../widgets/runs/toolbar';

const ID = 'jupyter-ptytasks:runs';

/** The buttons for the selected runs. */
const BULK: readonly string[] = [
  CommandIDs.showMetrics,
  CommandIDs.showDifferences,
  CommandIDs.editAgain,
  CommandIDs.stop,
  CommandIDs.addTags,
  CommandIDs.pin,
  CommandIDs.deleteTasks
];

/** The context menu of rows, in groups. */
const MENU: readonly (readonly string[])[] = [
  [CommandIDs.open, CommandIDs.details, CommandIDs.showReason],
  [CommandIDs.showMetrics, CommandIDs.showDifferences],
  [CommandIDs.stop, CommandIDs.kill, CommandIDs.restart],
  [CommandIDs.runAgain, CommandIDs.editAgain],
  [
    CommandIDs.rename,
    CommandIDs.editTags,
    CommandIDs.addTags,
    CommandIDs.removeTags,
    CommandIDs.pin
  ],
  [CommandIDs.copyId, CommandIDs.copyCommand, CommandIDs.copyOutputPath],
  [CommandIDs.download, CommandIDs.exportTask],
  [CommandIDs.deleteTasks]
];

export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Adds a table in which tasks can be sorted, filtered, compared and deleted.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ILayoutRestorer, IStateDB, ICommandPalette, ILauncher, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const tracker = new WidgetTracker<RunsTab>({ namespace: 'ptytasks-runs' });
    const views = new WatchedValue<IRunsViews>(readViews(undefined));
    const ready = state ? remember(views, state) : Promise.resolve();
    const execute = (command: string, args: { id: string } | { ids: string[] }): void =>
      commandIfPresent(commands, command, args)?.();

    commands.addCommand(CommandIDs.showRuns, {
      label: trans.__('Runs'),
      caption: trans.__('Show a table of all tasks, with their times and metrics'),
      icon: spreadsheetIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        // The table is loaded on demand.
        const [{ RunsTab }] = await Promise.all([import('../widgets/runs/runs'), ready]);
        let tab = tracker.find(() => true);
        if (!tab) {
          tab = new RunsTab({
            model,
            views,
            translator: translator ?? nullTranslator,
            actions: {
              create: command =>
                commandIfPresent(commands, CommandIDs.newTask, command ? { command } : {})?.(),
              open: id => execute(CommandIDs.open, { id }),
              openLine: (id, line, wanted) =>
                commandIfPresent(commands, CommandIDs.showOutput, {
                  id,
                  line,
                  ...(wanted && {
                    find: wanted.q,
                    regex: wanted.isRegex,
                    matchCase: wanted.matchesCase
                  })
                })?.(),
              delete: ids => execute(CommandIDs.deleteTasks, { ids: [...ids] }),
              rename: id => execute(CommandIDs.rename, { id }),
              menu: (ids, x, y) => openMenu(commands, MENU, { ids: [...ids] }, x, y),
              cleanUp: commandIfPresent(commands, CommandIDs.cleanUp),
              askForName: () => askForName(trans),
              ofSelection: ids => bulkActions(commands, { ids: [...ids] })
            }
          });
          shell.add(tab, 'main', { type: 'Runs' });
          void tracker.add(tab);
        }
        shell.activateById(tab.id);
      }
    });
    palette?.addItem({ command: CommandIDs.showRuns, category: trans.__('Tasks') });
    const category = (translator ?? nullTranslator).load('jupyterlab').__('Other');
    launcher?.add({ command: CommandIDs.showRuns, category, rank: 4 });
    if (restorer) {
      void restorer.restore(tracker, { command: CommandIDs.showRuns, name: () => 'runs' });
    }
  }
};

/** Restore the views, and save them when they change. */
async function remember(views: WatchedValue<IRunsViews>, state: IStateDB): Promise<void> {
  views.value = readViews(await state.fetch(ID).catch(() => undefined));
  views.changed.connect(({ value }) => {
    void state.save(ID, JSON.parse(JSON.stringify(value)));
  });
}

async function askForName(trans: TranslationBundle): Promise<string | null> {
  const { value } = await InputDialog.getText({
    title: trans.__('Save View'),
    label: trans.__('Name of this view: columns, order and filters'),
    okLabel: trans.__('Save'),
    required: true
  });
  return value?.trim() || null;
}

function bulkActions(commands: CommandRegistry, args: { ids: string[] }): IBulkAction[] {
  const visible = BULK.filter(id => commands.hasCommand(id) && commands.isVisible(id, args));
  return visible.map(command => ({
    label: commands.label(command, args),
    caption: commands.caption(command, args),
    isEnabled: commands.isEnabled(command, args),
    run: () => void commands.execute(command, args)
  }));
}
