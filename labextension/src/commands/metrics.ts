/** The command that charts the metrics of tasks. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';

import { metricsIcon } from '../icons';
import { CommandIDs } from '../tokens';
import { argumentsOf, TASKS } from './args';

export interface IMetricsCommandsOptions {
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Open the tab of these tasks, or reveal it. */
  show: (ids: string[], activate: boolean) => Promise<void>;
  /** Return the task ids for commands without arguments. */
  targets: () => string[];
}

export function addMetricsCommands(options: IMetricsCommandsOptions): IDisposable {
  const { commands, trans, show, targets } = options;
  return commands.addCommand(CommandIDs.showMetrics, {
    label: args =>
      (argumentsOf(args) ?? targets()).length > 1
        ? trans.__('Compare Metrics')
        : trans.__('Show Metrics'),
    caption: trans.__('Chart the metrics of the task, or overlay those of the selected tasks'),
    icon: metricsIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          ...(TASKS.properties as object),
          activate: { type: 'boolean', description: 'Whether to activate the tab (default: true)' }
        }
      }
    },
    isEnabled: args => (argumentsOf(args) ?? targets()).length > 0,
    execute: async args => {
      const ids = argumentsOf(args) ?? targets();
      if (ids.length > 0) {
        await show(ids, args.activate !== false);
      }
    }
  });
}
