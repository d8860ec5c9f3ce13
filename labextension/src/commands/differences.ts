/** The command that shows the differences between two tasks. */

import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs, type ITaskModel } from '../tokens';
import { lookUp, TASKS } from './args';

export interface IDifferencesCommandOptions {
  model: ITaskModel;
  /** Return the ids of the tasks in the arguments, or of the selected ones. */
  targets: (args: ReadonlyPartialJSONObject) => string[];
  trans: TranslationBundle;
}

export function addDifferencesCommand(
  commands: CommandRegistry,
  { model, targets, trans }: IDifferencesCommandOptions
): void {
  commands.addCommand(CommandIDs.showDifferences, {
    label: trans.__('Show Differences'),
    caption: trans.__('Show how two tasks differ: command, parameters, commit, environment'),
    describedBy: { args: TASKS },
    isEnabled: args => targets(args).length === 2,
    isVisible: args => targets(args).length === 2,
    execute: async args => {
      // Ids sort by the time of creation.
      const [older, newer] = await lookUp(model, targets(args).sort());
      if (!newer) {
        return;
      }
      try {
        const [{ TaskAbout }, { showDifferences }] = await Promise.all([
          import('../services/about'),
          import('../widgets/dialogs/differences')
        ]);
        const difference = await new TaskAbout(model.api, newer.id).difference(older.id);
        await showDifferences({ name: newer.name, difference, trans });
      } catch (error) {
        await showErrorMessage(trans.__('The tasks could not be compared'), `${error}`);
      }
    }
  });
}
