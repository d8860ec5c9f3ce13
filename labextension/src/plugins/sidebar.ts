/** Adds the sidebar panel and its toolbar; the context menu of its rows is in schema/plugin.json. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';
import { CommandToolbarButton } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { argumentsOf } from '../commands/args';
import { commandIfPresent, commandWith, taskCommandIfPresent } from '../commands/ifpresent';
import { giveFocusBack } from '../commands/menu';
import { tasksIcon } from '../icons';
import { WatchedValue } from '../services/watchedvalue';
import { CommandIDs, ISeenTasks, ITaskModel, ITasksPanel } from '../tokens';
import { readView } from '../widgets/panel/filter';
import { TasksPanel } from '../widgets/panel/panel';
import type { IRowActions } from '../widgets/panel/row';

const ID = 'jupyter-ptytasks:sidebar';

/** The arguments of the command that shows the panel. */
const SHOWN: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    ids: {
      type: 'array',
      items: { type: 'string' },
      description: 'The IDs of the tasks to show (default: keep the current filter)'
    },
    label: { type: 'string', description: 'A label for these tasks' }
  }
};

/** The rank of the panel in the left sidebar. */
const RANK = 210;

export const sidebarPlugin: JupyterFrontEndPlugin<ITasksPanel> = {
  id: ID,
  description: 'Adds a sidebar panel that lists the background tasks of the server.',
  autoStart: true,
  provides: ITasksPanel,
  requires: [ITaskModel, ITranslator],
  optional: [ISeenTasks, ILayoutRestorer, IStateDB, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    translator: ITranslator,
    seen: ISeenTasks | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null,
    palette: ICommandPalette | null
  ): ITasksPanel => {
    const { commands, shell } = app;
    const trans = translator.load('jupyter_ptytasks');
    const ofRow = new WatchedValue<IRowActions>({});
    const panel = new TasksPanel({
      model,
      seen,
      translator,
      actions: {
        create: command =>
          commandIfPresent(
            commands,
            CommandIDs.newTask,
            command === undefined ? {} : { command }
          )?.(),
        open: id => commandIfPresent(commands, CommandIDs.open, { id })?.(),
        delete: ids => commandIfPresent(commands, CommandIDs.deleteTasks, { ids })?.(),
        rename: id => commandIfPresent(commands, CommandIDs.rename, { id })?.(),
        ofRow
      }
    });
    void app.started.then(() => {
      // All enabled plugins have added their commands now.
      ofRow.value = {
        showReason: taskCommandIfPresent(commands, CommandIDs.showReason),
        stop: taskCommandIfPresent(commands, CommandIDs.stop),
        restart: taskCommandIfPresent(commands, CommandIDs.restart),
        delete: taskCommandIfPresent(commands, CommandIDs.deleteTasks),
        release: taskCommandIfPresent(commands, CommandIDs.release),
        move: commandWith(commands, CommandIDs.move, (ids, where) => ({ ids: [...ids], ...where })),
        retrySweep: commandWith(commands, CommandIDs.retrySweep, sweep => ({ sweep })),
        pauseGroup: commandWith(commands, CommandIDs.pauseGroup, group => ({ group })),
        resumeGroup: commandWith(commands, CommandIDs.resumeGroup, group => ({ group })),
        setSlots: commandWith(commands, CommandIDs.setSlots, (group, slots) => ({ group, slots }))
      };
    });
    for (const id of [
      CommandIDs.newTask,
      CommandIDs.newShell,
      CommandIDs.showRuns,
      CommandIDs.refresh
    ]) {
      panel.toolbar.addItem(id, new CommandToolbarButton({ commands, id, label: '' }));
    }
    panel.addLook();

    // JupyterLab opens the context menu of a row.
    panel.node.addEventListener('contextmenu', () => giveFocusBack(app.contextMenu.menu));

    shell.add(panel, 'left', { rank: RANK, type: 'Tasks' });
    restorer?.add(panel, panel.id);
    if (state) {
      void remember(panel, state);
    }
    commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Show Tasks'),
      caption: trans.__('Show the Tasks panel in the sidebar'),
      icon: tasksIcon,
      describedBy: { args: SHOWN },
      execute: args => {
        const ids = argumentsOf(args);
        if (ids) {
          const label = typeof args.label === 'string' ? args.label : '';
          panel.filter.value = { ids, label: label || trans._n('%1 task', '%1 tasks', ids.length) };
        }
        shell.activateById(panel.id);
      }
    });
    palette?.addItem({ command: CommandIDs.showPanel, category: trans.__('Tasks') });
    return panel;
  }
};

/** Restore the view options of the list, and save them when they change. */
async function remember(panel: TasksPanel, state: IStateDB): Promise<void> {
  const view = readView(await state.fetch(ID).catch(() => undefined));
  if (view) {
    panel.view.value = view;
  }
  panel.view.changed.connect(store => {
    const { grouping, order, isCompact, collapsed } = store.value;
    void state.save(ID, { grouping, order, isCompact, collapsed });
  });
}
