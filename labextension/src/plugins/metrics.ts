/** Charts the metrics of tasks in tabs. */

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { taskCommandIfPresent } from '../commands/ifpresent';
import { addMetricsCommands } from '../commands/metrics';
import { CommandIDs, ITaskModel, ITasksPanel } from '../tokens';
import type { MetricsTab } from '../widgets/metrics/tab';
import { currentTasks } from './current';

export const metricsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:metrics',
  description: 'Charts the metrics of background tasks.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ITasksPanel, ILabShell, ILayoutRestorer, IThemeManager, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    panel: ITasksPanel | null,
    lab: ILabShell | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const tracker = new WidgetTracker<MetricsTab>({ namespace: 'ptytasks-metrics' });

    const show = async (ids: readonly string[], activate: boolean): Promise<void> => {
      // The charts are large: load them on demand.
      const { MetricsTab } = await import('../widgets/metrics/tab');
      const key = keyOf(ids);
      let tab = tracker.find(tab => keyOf(tab.ids) === key);
      if (!tab) {
        const open = taskCommandIfPresent(commands, CommandIDs.open);
        tab = new MetricsTab({ ids, model, open, translator: translator ?? nullTranslator });
        // The main area of Notebook 7 holds only the document.
        shell.add(tab, lab ? 'main' : 'down', { type: 'Metrics', activate: false });
        void tracker.add(tab);
      }
      if (activate) {
        shell.activateById(tab.id);
      }
    };

    addMetricsCommands({
      commands,
      trans,
      show,
      targets: () => currentTasks(shell, model, panel).map(task => task.id)
    });
    palette?.addItem({ command: CommandIDs.showMetrics, category: trans.__('Tasks') });
    themes?.themeChanged.connect(() => tracker.forEach(tab => tab.restyle()));
    if (restorer) {
      void restorer.restore(tracker, {
        command: CommandIDs.showMetrics,
        args: ({ ids }) => ({ ids: [...ids], activate: false }),
        name: ({ ids }) => keyOf(ids)
      });
    }
  }
};

/** Return a key for a set of tasks: the same for every order. */
function keyOf(ids: readonly string[]): string {
  return [...ids].sort().join('+');
}
