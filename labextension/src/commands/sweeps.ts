/** The commands about sweeps: retry failed tasks, release, cancel, delete. */

import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, refreshIcon, runIcon, stopIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { sweepStandings, type ISweepStanding } from '../services/sweeps';
import { CommandIDs, type ITaskModel } from '../tokens';

export interface ISweepCommandsOptions {
  commands: CommandRegistry;
  model: ITaskModel;
  trans: TranslationBundle;
  /** Return the id of the sweep for commands without arguments. */
  current: () => string | null;
}

/** A command; `addSweepCommands` finds its sweep. */
interface IAction {
  label: (standing: ISweepStanding | null) => string;
  caption: string;
  icon: LabIcon;
  fits: (standing: ISweepStanding) => boolean;
  run: (standing: ISweepStanding) => Promise<unknown>;
}

export function addSweepCommands(options: ISweepCommandsOptions): IDisposable {
  const { commands, model, trans, current } = options;
  const added = new DisposableSet();
  const standingOf = (args: ReadonlyPartialJSONObject): ISweepStanding | null => {
    const id = typeof args.sweep === 'string' ? args.sweep : current();
    return id === null ? null : (sweepStandings(model.tasks).get(id) ?? null);
  };
  const properties = {
    sweep: {
      type: 'string',
      description: 'The ID of the sweep (default: that of the active row of the panel)'
    }
  };
  for (const [id, action] of Object.entries(actions(options))) {
    added.add(
      commands.addCommand(id, {
        label: args => action.label(standingOf(args)),
        caption: action.caption,
        icon: action.icon,
        describedBy: { args: { type: 'object', properties } },
        isEnabled: args => {
          const standing = standingOf(args);
          return standing !== null && action.fits(standing);
        },
        execute: async args => {
          const standing = standingOf(args);
          if (!standing || !action.fits(standing)) {
            return;
          }
          try {
            await action.run(standing);
          } catch (error) {
            await showErrorMessage(
              trans.__('The sweep “%1” could not be changed', standing.name),
              error as Error
            );
          } finally {
            await model.refresh();
          }
        }
      })
    );
  }
  return added;
}

function actions({ model, trans }: ISweepCommandsOptions): Record<string, IAction> {
  const { api } = model;
  return {
    [CommandIDs.retrySweep]: {
      label: standing =>
        standing?.failed
          ? trans.__('Retry Failed of Sweep (%1)', standing.failed)
          : trans.__('Retry Failed of Sweep'),
      caption: trans.__('Run again all tasks of the sweep that failed, timed out or were lost'),
      icon: refreshIcon,
      fits: ({ failed }) => failed > 0,
      run: ({ id }) => api.changeSweep(id, 'retry')
    },
    [CommandIDs.releaseSweep]: {
      label: () => trans.__('Release Sweep'),
      caption: trans.__('Let the held tasks of the sweep start when their turns come'),
      icon: runIcon,
      fits: ({ held }) => held > 0,
      run: ({ id }) => api.changeSweep(id, 'start')
    },
    [CommandIDs.cancelSweep]: {
      label: () => trans.__('Cancel Sweep…'),
      caption: trans.__('Cancel the waiting tasks of the sweep, and stop the running ones'),
      icon: stopIcon,
      fits: ({ running, pending }) => running + pending > 0,
      run: async standing => {
        if (await mayCancel(standing, trans)) {
          await api.changeSweep(standing.id, 'cancel');
        }
      }
    },
    [CommandIDs.deleteSweep]: {
      label: () => trans.__('Delete Sweep…'),
      caption: trans.__('Delete all tasks of the sweep and their output'),
      icon: closeIcon,
      fits: () => true,
      run: async standing => {
        if (await mayDelete(standing, trans)) {
          await api.deleteSweep(standing.id, standing.running + standing.pending > 0);
        }
      }
    }
  };
}

function mayCancel(standing: ISweepStanding, trans: TranslationBundle): Promise<boolean> {
  const { name, running, pending } = standing;
  const body = [
    trans._n('%1 running task will be stopped.', '%1 running tasks will be stopped.', running),
    trans._n('%1 waiting task will not start.', '%1 waiting tasks will not start.', pending)
  ].filter((_, index) => [running, pending][index] > 0);
  return isSure(trans.__('Cancel the sweep “%1”?', name), body, trans.__('Cancel Sweep'), trans);
}

function mayDelete(standing: ISweepStanding, trans: TranslationBundle): Promise<boolean> {
  const { name, total, running } = standing;
  const body = [
    trans._n(
      '%1 task and its output will be deleted.',
      '%1 tasks and their output will be deleted.',
      total
    )
  ];
  if (running > 0) {
    body.push(trans._n('%1 of them is running.', '%1 of them are running.', running));
  }
  return isSure(trans.__('Delete the sweep “%1”?', name), body, trans.__('Delete'), trans);
}

async function isSure(
  title: string,
  body: readonly string[],
  label: string,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title,
    body: body.join(' '),
    buttons: [Dialog.cancelButton({ label: trans.__('Keep') }), Dialog.warnButton({ label })],
    defaultButton: 0
  });
  return button.accept;
}
