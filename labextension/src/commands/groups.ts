/** The commands about groups: pause, resume, set slots, retry failed tasks, delete. */

import { Dialog, InputDialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  closeIcon,
  editIcon,
  pauseIcon,
  refreshIcon,
  runIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { isQueue, standings, type IStanding } from '../services/queue';
import { CommandIDs, type ITaskModel } from '../tokens';

export interface IGroupCommandsOptions {
  commands: CommandRegistry;
  model: ITaskModel;
  trans: TranslationBundle;
  /** Return the group for commands without arguments. */
  current: () => string | null;
}

const GROUP: ReadonlyJSONObject = {
  group: {
    type: 'string',
    description: 'The name of the group (default: that of the active row of the panel)'
  }
};

const WITH_TASKS: ReadonlyJSONObject = {
  ...GROUP,
  tasks: { type: 'boolean', description: 'Whether to pause or resume its active tasks, too' }
};

const WITH_SLOTS: ReadonlyJSONObject = {
  ...GROUP,
  slots: {
    type: ['integer', 'null'],
    description: 'How many tasks may run at a time; null: any number'
  }
};

/** A command; `addGroupCommands` finds its group. */
interface IAction {
  label: (args: ReadonlyPartialJSONObject, standing: IStanding | null) => string;
  caption: string;
  icon: LabIcon;
  properties: ReadonlyJSONObject;
  fits: (standing: IStanding) => boolean;
  /** Whether to hide it if it does not apply, because another command takes its place. */
  hides?: boolean;
  run: (standing: IStanding, args: ReadonlyPartialJSONObject) => Promise<unknown>;
}

export function addGroupCommands(options: IGroupCommandsOptions): IDisposable {
  const { commands, model, trans, current } = options;
  const added = new DisposableSet();
  const standingOf = (args: ReadonlyPartialJSONObject): IStanding | null => {
    const name = typeof args.group === 'string' ? args.group : current();
    return name === null ? null : (standings(model.tasks, model.groups).get(name) ?? null);
  };
  for (const [id, action] of Object.entries(actions(options))) {
    added.add(
      commands.addCommand(id, {
        label: args => action.label(args, standingOf(args)),
        caption: action.caption,
        icon: action.icon,
        describedBy: { args: { type: 'object', properties: action.properties } },
        isEnabled: args => {
          const standing = standingOf(args);
          return standing !== null && action.fits(standing);
        },
        isVisible: args => {
          const standing = standingOf(args);
          return !action.hides || standing === null || action.fits(standing);
        },
        execute: async args => {
          if (typeof args.group === 'string' && !standingOf(args)) {
            // It may have just been created.
            await model.refresh();
          }
          const standing = standingOf(args);
          if (!standing || !action.fits(standing)) {
            return;
          }
          try {
            await action.run(standing, args);
          } catch (error) {
            await showErrorMessage(
              trans.__('The group “%1” could not be changed', standing.group.name),
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

function actions({ model, trans }: IGroupCommandsOptions): Record<string, IAction> {
  const { api } = model;
  return {
    [CommandIDs.pauseGroup]: {
      label: args =>
        args.tasks === true ? trans.__('Pause Group and Its Tasks') : trans.__('Pause Group'),
      caption: trans.__('Do not start any more tasks of the group'),
      icon: pauseIcon,
      properties: WITH_TASKS,
      fits: ({ group }) => !group.paused,
      hides: true,
      run: ({ group }, args) => api.pauseGroup(group.name, args.tasks === true)
    },
    [CommandIDs.resumeGroup]: {
      label: args =>
        args.tasks === true ? trans.__('Resume Group and Its Tasks') : trans.__('Resume Group'),
      caption: trans.__('Start tasks of the group again'),
      icon: runIcon,
      properties: WITH_TASKS,
      fits: ({ group }) => group.paused,
      hides: true,
      run: ({ group }, args) => api.resumeGroup(group.name, args.tasks === true)
    },
    [CommandIDs.setSlots]: {
      label: () => trans.__('Set Slots…'),
      caption: trans.__('Set how many tasks of the group run at a time'),
      icon: editIcon,
      properties: WITH_SLOTS,
      fits: () => true,
      run: async ({ group }, args) => {
        const slots = args.slots === undefined ? await askForSlots(group, trans) : args.slots;
        if (typeof slots === 'number' || slots === null) {
          await api.setGroup(group.name, { slots });
        }
      }
    },
    [CommandIDs.retryFailed]: {
      label: (_, standing) =>
        standing?.failed
          ? trans.__('Retry Failed (%1)', standing.failed)
          : trans.__('Retry Failed'),
      caption: trans.__('Run again all tasks of the group that failed, timed out or were lost'),
      icon: refreshIcon,
      properties: GROUP,
      fits: ({ failed }) => failed > 0,
      run: ({ group }) => api.retryGroup(group.name)
    },
    [CommandIDs.forgetGroup]: {
      label: () => trans.__('Forget Group…'),
      caption: trans.__('Remove the slots of the group; its tasks are kept'),
      icon: closeIcon,
      properties: GROUP,
      fits: ({ group }) => isQueue(group),
      run: async standing => {
        if (standing.pending === 0 || (await mayStartAll(standing, trans))) {
          await api.deleteGroup(standing.group.name);
        }
      }
    }
  };
}

/** Return the slots that the user enters, null for no limit; undefined if the dialog is canceled. */
async function askForSlots(
  { name, slots }: IStanding['group'],
  trans: TranslationBundle
): Promise<number | null | undefined> {
  const { value } = await InputDialog.getText({
    title: trans.__('Slots of “%1”', name),
    label: trans.__('How many of its tasks run at a time; empty for no limit'),
    text: slots === null ? '' : `${slots}`,
    okLabel: trans.__('Set'),
    pattern: '\\s*[0-9]*\\s*'
  });
  if (value === null) {
    return undefined;
  }
  return value.trim() ? Number(value) : null;
}

async function mayStartAll(
  { group, pending }: IStanding,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__('Forget the group “%1”?', group.name),
    body: trans._n(
      'The task that waits for a slot will start at once.',
      'The %1 tasks that wait for slots will start at once.',
      pending
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Forget') })
    ],
    defaultButton: 0
  });
  return button.accept;
}
