/** The commands that run files and selected text. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { tasksIcon } from '../icons';
import { fileRequest, textRequest } from '../forms/files';
import { serverShell } from '../forms/shells';
import type { TaskSettings } from '../services/settings';
import type { ITaskRequest } from '../services/types/requests';
import { CommandIDs, type ITaskModel } from '../tokens';
import { createIn, queuesOf, startTask } from './start';

/** A file that is open in an editor; its path is relative to the server root. */
export interface IOpenFile {
  path: string;
  /** The selected text, or the current line if nothing is selected. */
  text: string;
  save: () => Promise<void>;
}

export interface IFileOptions {
  model: ITaskModel;
  settings: TaskSettings;
  trans: TranslationBundle;
  /** Return the paths of the files selected in the file browser. */
  selected: () => string[];
  /** Return the file of the current editor; null if the current tab is not an editor. */
  edited: () => IOpenFile | null;
}

const FILE_ARGUMENTS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      description: 'The path of the file, relative to the server root'
    },
    source: {
      type: 'string',
      enum: ['browser', 'editor'],
      description:
        'Where to take the file from if no path is given: the file browser selection or the current editor'
    }
  }
};

export function addFileCommands(commands: CommandRegistry, options: IFileOptions): void {
  const { model, settings, trans, selected, edited } = options;

  const pathsOf = (args: { path?: unknown; source?: unknown }): string[] => {
    if (typeof args.path === 'string') {
      return [args.path];
    }
    const file = args.source === 'browser' ? null : edited();
    if (file) {
      return [file.path];
    }
    return args.source === 'editor' ? [] : selected();
  };
  /** Return requests for all files, or none: either everything selected is run, or nothing. */
  const requestsFor = (paths: string[]): ITaskRequest[] => {
    const requests = paths.map(path =>
      fileRequest(path, settings.current.fileRunners, serverShell())
    );
    const runnable = requests.filter(request => request !== null);
    return runnable.length === paths.length ? runnable : [];
  };

  /** Ask when to run files: one file in the New Task dialog, which has more options, several in their own dialog. */
  const queue = async (requests: ITaskRequest[]): Promise<void> => {
    if (requests.length === 1 && commands.hasCommand(CommandIDs.newTask)) {
      const [request] = requests;
      await commands.execute(CommandIDs.newTask, { ...request, file: true, queue: true });
      return;
    }
    const [{ askForStart }, { AT_ONCE, inGroup, NEW, newGroupOf, withStart }] = await Promise.all([
      import('../widgets/dialogs/queuefiles'),
      import('../forms/start')
    ]);
    const queues = queuesOf(model);
    const waiting = [...requests];
    const made = new Set<string>();
    await askForStart({
      form: { ...AT_ONCE, start: queues.length > 0 ? inGroup(queues[0].group.name) : NEW },
      names: requests.map(({ name = '' }) => name),
      queues,
      trans,
      submit: async form => {
        // Files that were queued before an error are not queued again.
        while (waiting.length > 0) {
          const group = newGroupOf(form, trans);
          const isMade = group !== null && made.has(group.name);
          await createIn(model, withStart(waiting[0], form, trans), isMade ? null : group);
          made.add(group?.name ?? '');
          waiting.shift();
        }
      }
    });
    void model.refresh();
  };

  /**
   * Return the options that all commands for files share. The command saves the files and calls `start` with the requests for
   * them. It is enabled if `fits` accepts their number.
   */
  const forFiles = (
    start: (requests: ITaskRequest[]) => Promise<void>,
    fits: (count: number) => boolean = count => count > 0
  ): Omit<CommandRegistry.ICommandOptions, 'label' | 'caption'> => ({
    icon: tasksIcon,
    describedBy: { args: FILE_ARGUMENTS },
    isEnabled: args => fits(requestsFor(pathsOf(args)).length),
    isVisible: args => args.source !== 'browser' || fits(requestsFor(pathsOf(args)).length),
    execute: async args => {
      const paths = pathsOf(args);
      const file = edited();
      if (file && paths.includes(file.path)) {
        await file.save();
      }
      await start(requestsFor(paths));
    }
  });

  commands.addCommand(CommandIDs.runFile, {
    label: args =>
      args.source === 'editor' ? trans.__('Run File as Task') : trans.__('Run as Task'),
    caption: trans.__('Run the file in the background with the command set for its extension'),
    ...forFiles(async requests => {
      for (const request of requests) {
        await startTask(commands, model, request, trans);
      }
    })
  });

  commands.addCommand(CommandIDs.runFileWith, {
    label: trans.__('Run as Task with Arguments…'),
    caption: trans.__(
      'Edit the command that runs the file, choose where, and start it in the background'
    ),
    ...forFiles(
      async ([request]) => {
        await commands.execute(CommandIDs.newTask, { ...request, file: true });
      },
      count => count === 1 && commands.hasCommand(CommandIDs.newTask)
    )
  });

  commands.addCommand(CommandIDs.queueFile, {
    label: trans.__('Queue as Task…'),
    caption: trans.__('Run the file in the background when its turn comes'),
    ...forFiles(queue)
  });

  commands.addCommand(CommandIDs.runSelection, {
    label: trans.__('Run Selection as Task'),
    caption: trans.__('Run the selected text, or the current line, in the background'),
    icon: tasksIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => edited() !== null,
    execute: async () => {
      const file = edited();
      const request =
        file && textRequest(file.text, file.path, settings.current.textRunners, serverShell());
      if (request) {
        await startTask(commands, model, request, trans);
      }
    }
  });
}
