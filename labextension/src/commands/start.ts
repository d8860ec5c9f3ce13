/** The commands that start tasks. */

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { terminalIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { z } from 'zod';

import type { RecentCommands } from '../services/recentcommands';
import { tasksIcon } from '../icons';
import { directoryOf, formOf } from '../forms/requests';
import { IF_EXISTS, type ITask, type ITaskRequest } from '../services/types';
import { CommandIDs, type ITaskModel } from '../tokens';
import { askForTask } from '../widgets/dialogs/newtask';

export interface IStartOptions {
  model: ITaskModel;
  history: RecentCommands;
  trans: TranslationBundle;
  /** Return the current directory of the file browser, relative to the server root. */
  directory: () => string;
  chooseDirectory?: (cwd: string) => Promise<string | null>;
}

/** The arguments of commands that start tasks. */
const ARGUMENTS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    command: {
      oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      description: 'A shell command line, or a list of arguments'
    },
    name: { type: 'string', description: 'The name of the task' },
    cwd: {
      type: 'string',
      description: 'The working directory, relative to the server root'
    },
    env: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Environment variables'
    },
    group: { type: 'string', description: 'The group of the task' },
    tags: { type: 'array', items: { type: 'string' }, description: 'The tags of the task' },
    timeout: { type: 'number', description: 'Time limit in seconds' },
    if_exists: {
      type: 'string',
      enum: [...IF_EXISTS],
      description: 'What to do if a running task has the same name'
    }
  }
};

/** Validates arguments, which come from user settings and other extensions: invalid ones are ignored. */
const known = z.object({
  command: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
  name: z.string().optional().catch(undefined),
  cwd: z.string().optional().catch(undefined),
  env: z.record(z.string()).optional().catch(undefined),
  group: z.string().optional().catch(undefined),
  tags: z.array(z.string()).optional().catch(undefined),
  timeout: z.number().optional().catch(undefined),
  if_exists: z.enum(IF_EXISTS).optional().catch(undefined)
});

/** Start a task without the dialog and open its terminal; show an error if that fails. */
export async function startTask(
  commands: CommandRegistry,
  model: ITaskModel,
  request: ITaskRequest,
  trans: TranslationBundle
): Promise<void> {
  let task: ITask;
  try {
    task = await model.api.create(request);
  } catch (error) {
    const why = error instanceof Error ? error.message : `${error}`;
    Notification.error(trans.__('The task could not be started: %1', why), { autoClose: 10_000 });
    return;
  }
  void model.refresh();
  await openTerminal(commands, task);
}

/** Open the terminal of a task that was just started. */
export async function openTerminal(commands: CommandRegistry, { id }: ITask): Promise<void> {
  // The terminal plugin may be disabled.
  if (commands.hasCommand(CommandIDs.open)) {
    await commands.execute(CommandIDs.open, { id });
  }
}

export function addStartCommands(commands: CommandRegistry, options: IStartOptions): void {
  const { model, history, trans } = options;
  const whereWeAre = () => directoryOf(options.directory());

  commands.addCommand(CommandIDs.newTask, {
    label: args =>
      args.isLauncher ? trans.__('Task') : args.isMenu ? trans.__('Task…') : trans.__('New Task…'),
    caption: trans.__(
      'Run a command in the background; it keeps running when the browser is closed'
    ),
    icon: tasksIcon,
    describedBy: { args: ARGUMENTS },
    execute: async args => {
      const before = await history.load();
      const given: ITaskRequest = known.parse(args);
      const answer = await askForTask({
        form: formOf({ ...given, cwd: given.cwd ?? whereWeAre() }),
        commands: before.commands,
        groups: [...new Set(model.tasks.map(task => task.group))].sort(),
        openTerminal: before.openTerminal,
        trans,
        start: request => model.api.create(request),
        chooseDirectory: options.chooseDirectory
      });
      if (!answer) {
        return;
      }
      void model.refresh();
      if (typeof answer.request.command === 'string') {
        await history.add(answer.request.command);
      }
      await history.setOpenTerminal(answer.openTerminal);
      if (answer.openTerminal) {
        await openTerminal(commands, answer.task);
      }
    }
  });

  commands.addCommand(CommandIDs.run, {
    label: trans.__('Run Task'),
    caption: trans.__('Start a task without opening the dialog'),
    icon: tasksIcon,
    describedBy: { args: { ...ARGUMENTS, required: ['command'] } },
    isEnabled: args => hasCommand(args),
    execute: async args => {
      const request: ITaskRequest = known.parse(args);
      await startTask(commands, model, request, trans);
    }
  });

  commands.addCommand(CommandIDs.newShell, {
    label: args =>
      args.isLauncher || args.isMenu
        ? trans.__('Persistent Terminal')
        : trans.__('New Persistent Terminal'),
    caption: trans.__(
      'Open a shell that keeps running when the browser is closed or the server restarts'
    ),
    icon: terminalIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'The name of the terminal' },
          cwd: {
            type: 'string',
            description: 'The working directory, relative to the server root'
          }
        }
      }
    },
    execute: async args => {
      const { name, cwd = whereWeAre() } = known.parse(args);
      await startTask(commands, model, { name, cwd }, trans);
    }
  });
}

function hasCommand(args: ReadonlyPartialJSONObject): boolean {
  const { command } = known.parse(args);
  return command !== undefined && command.length > 0;
}
