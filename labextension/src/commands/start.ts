/** The commands that start tasks. */

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { terminalIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { z } from 'zod';

import type { RecentCommands } from '../services/recentcommands';
import { tasksIcon } from '../icons';
import { directoryOf } from '../forms/files';
import type { INewGroup } from '../forms/start';
import { isQueue, standings, type IStanding } from '../services/queue';
import { LOCAL, resourcesSchema, type IPlace } from '../services/types/places';
import { IF_EXISTS, WHEN, type ITaskRequest } from '../services/types/requests';
import { isEnded, isPending } from '../services/types/states';
import type { ITask } from '../services/types/tasks';
import { CommandIDs, type ITaskModel } from '../tokens';

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
    hold: { type: 'boolean', description: 'Whether the task waits until it is released' },
    after: {
      type: 'array',
      items: {
        oneOf: [
          { type: 'string' },
          {
            type: 'object',
            properties: { ref: { type: 'string' }, when: { type: 'string', enum: [...WHEN] } },
            required: ['ref', 'when']
          }
        ]
      },
      description: 'The tasks that must have ended before, as names or IDs'
    },
    not_before: { type: 'string', description: 'The earliest start, in ISO 8601' },
    gpus: {
      type: 'number',
      description: 'GPUs of the task: whole ones, or a share of one such as 0.5'
    },
    retry: {
      type: 'object',
      properties: { max: { type: 'integer' } },
      required: ['max'],
      description: 'How many times the task runs again if it fails'
    },
    place: { type: 'string', description: 'Where the task runs, such as ssh:gpu1' },
    resources: { type: 'object', description: 'The resources that the task requests at its place' },
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
  hold: z.boolean().optional().catch(undefined),
  after: z
    .array(z.union([z.string(), z.object({ ref: z.string(), when: z.enum(WHEN) })]))
    .optional()
    .catch(undefined),
  not_before: z.string().optional().catch(undefined),
  gpus: z.number().optional().catch(undefined),
  retry: z.object({ max: z.number() }).optional().catch(undefined),
  place: z.string().optional().catch(undefined),
  resources: resourcesSchema.optional().catch(undefined),
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

/**
 * Open the terminal of a new task, unless the task waits for its turn on this machine. The tab of a task that waits at another
 * place says what it waits for.
 */
export async function openTerminal(commands: CommandRegistry, task: ITask): Promise<void> {
  // The terminal plugin may be disabled.
  if ((!isPending(task) || task.place !== LOCAL) && commands.hasCommand(CommandIDs.open)) {
    await commands.execute(CommandIDs.open, { id: task.id });
  }
}

/** Create a group if it is new, then a task in it. If the task cannot be created, delete the new group. */
export async function createIn(
  model: ITaskModel,
  request: ITaskRequest,
  group: INewGroup | null,
  create: (request: ITaskRequest) => Promise<ITask> = request => model.api.create(request)
): Promise<ITask> {
  const { api } = model;
  if (!group) {
    return create(request);
  }
  const isThere = model.groups.some(({ name }) => name === group.name);
  await api.setGroup(group.name, { slots: group.slots });
  try {
    return await create(request);
  } catch (error) {
    if (!isThere) {
      await api.deleteGroup(group.name).catch(() => undefined);
    }
    throw error;
  }
}

/** Return the groups with a queue. */
export function queuesOf({ tasks, groups }: ITaskModel): IStanding[] {
  return [...standings(tasks, groups).values()].filter(({ group }) => isQueue(group));
}

/** Return where tasks can run; empty if unknown. */
export async function placesOf({ api }: ITaskModel): Promise<IPlace[]> {
  return api.places().catch(() => []);
}

/** Return a request completed with the resources of the last one and, if that still exists, its place. */
export function usual(
  request: ITaskRequest,
  last: RecentCommands.IContent['where'],
  places: readonly IPlace[]
): ITaskRequest {
  const isThere = places.some(({ name }) => name === last?.place);
  return { ...(isThere ? last : { resources: last?.resources }), ...request };
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
    describedBy: {
      args: {
        ...ARGUMENTS,
        properties: {
          ...(ARGUMENTS.properties as ReadonlyJSONObject),
          queue: { type: 'boolean', description: 'Whether the dialog proposes to queue the task' },
          file: {
            type: 'boolean',
            description: 'Whether the command runs a file: only places that share files are offered'
          }
        }
      }
    },
    execute: async args => {
      const [before, all, { askForTask }, { formOf }, { inGroup, NEW }, { isElsewhere, sharing }] =
        await Promise.all([
          history.load(),
          placesOf(model),
          import('../widgets/dialogs/newtask'),
          import('../forms/requests'),
          import('../forms/start'),
          import('../forms/where')
        ]);
      const asked: ITaskRequest = known.parse(args);
      const isFile = args.file === true;
      const places = isFile ? sharing(all) : all;
      // The command may need this machine: do not run it elsewhere just because the last task ran there.
      const isAnywhere = asked.command === undefined || (isFile && args.queue !== true);
      const given = isAnywhere ? usual(asked, before.where, places) : asked;
      const queues = queuesOf(model);
      const names = queues.map(({ group }) => group.name);
      const isThere = isElsewhere(places.find(({ name }) => name === given.place));
      const form = formOf({ ...given, cwd: given.cwd ?? (isThere ? '' : whereWeAre()) }, names);
      const answer = await askForTask({
        form:
          args.queue === true
            ? { ...form, start: names.length > 0 ? inGroup(names[0]) : NEW }
            : form,
        commands: before.commands,
        groups: [...standings(model.tasks, model.groups).keys()].filter(
          name => !names.includes(name)
        ),
        tasks: model.tasks.filter(task => !isEnded(task)).map(task => task.name),
        queues,
        places,
        optionsOf: place => model.api.placeOptions(place),
        openTerminal: before.openTerminal,
        trans,
        start: (request, group) => createIn(model, request, group),
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
      await history.setWhere(answer.request);
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
