/** The commands entered in the dialog and its last options, stored in the workspace. */

import type { IStateDB } from '@jupyterlab/statedb';
import { z } from 'zod';

import { LOCAL, resourcesSchema, type IResources } from './types/places';
import type { ITaskRequest } from './types/requests';

const KEY = 'jupyter-ptytasks:history';

/** The most commands that are stored. */
const LENGTH = 50;

const stored = z.object({
  commands: z.array(z.string()).catch([]),
  openTerminal: z.boolean().catch(true),
  /** The place and the resources of the last task that was started from a dialog. */
  where: z.object({ place: z.string(), resources: resourcesSchema }).optional().catch(undefined)
});

/**
 * The recent commands, newest first, without duplicates. Without a working state database, they do not survive a reload.
 */
export class RecentCommands {
  constructor(private readonly _state: IStateDB | null) {}

  /** Return the content; the first call reads the state database. */
  async load(): Promise<RecentCommands.IContent> {
    this._content ??= this._read();
    return this._content;
  }

  /** Add a command. */
  async add(command: string): Promise<void> {
    const { commands, ...rest } = await this.load();
    const others = commands.filter(one => one !== command);
    await this._write({ ...rest, commands: [command, ...others].slice(0, LENGTH) });
  }

  /** Store whether to open the terminal of a new task. */
  async setOpenTerminal(openTerminal: boolean): Promise<void> {
    await this._write({ ...(await this.load()), openTerminal });
  }

  /** Store the place and the resources of a new task. If it requests none, keep those of an earlier one. */
  async setWhere({ place = LOCAL, resources }: ITaskRequest): Promise<void> {
    const content = await this.load();
    const where = { place, resources: { ...(resources ?? content.where?.resources) } };
    await this._write({ ...content, where });
  }

  private async _read(): Promise<RecentCommands.IContent> {
    const value = await this._state?.fetch(KEY).catch(() => undefined);
    return stored.parse(typeof value === 'object' && value !== null ? value : {});
  }

  private async _write(content: z.infer<typeof stored>): Promise<void> {
    this._content = Promise.resolve(content);
    await this._state?.save(KEY, content).catch(() => undefined);
  }

  private _content: Promise<RecentCommands.IContent> | undefined;
}

export namespace RecentCommands {
  export interface IContent {
    /** Newest first. */
    readonly commands: string[];
    readonly openTerminal: boolean;
    readonly where?: { readonly place: string; readonly resources: IResources };
  }
}
