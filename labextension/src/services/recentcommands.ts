/** The commands that were run from here, and how the dialog was last left; kept in the workspace. */

import type { IStateDB } from '@jupyterlab/statedb';
import { z } from 'zod';

const KEY = 'jupyter-ptytasks:history';

/** How many commands are kept. */
const LENGTH = 50;

const stored = z.object({
  commands: z.array(z.string()).catch([]),
  openTerminal: z.boolean().catch(true)
});

/**
 * Commands, the newest first and each once. Without a database, or with one that fails, it is forgotten with the page:
 * nothing but convenience is lost.
 */
export class TaskHistory {
  constructor(private readonly _state: IStateDB | null) {}

  /** What is known; read from the database at the first time. */
  async load(): Promise<TaskHistory.IContent> {
    this._content ??= this._read();
    return this._content;
  }

  /** Remembers a command. */
  async add(command: string): Promise<void> {
    const { commands, ...rest } = await this.load();
    const others = commands.filter(one => one !== command);
    await this._write({ ...rest, commands: [command, ...others].slice(0, LENGTH) });
  }

  /** Remembers whether a started task's terminal shall be opened. */
  async setOpenTerminal(openTerminal: boolean): Promise<void> {
    await this._write({ ...(await this.load()), openTerminal });
  }

  private async _read(): Promise<TaskHistory.IContent> {
    const value = await this._state?.fetch(KEY).catch(() => undefined);
    return stored.parse(typeof value === 'object' && value !== null ? value : {});
  }

  private async _write(content: z.infer<typeof stored>): Promise<void> {
    this._content = Promise.resolve(content);
    await this._state?.save(KEY, content).catch(() => undefined);
  }

  private _content: Promise<TaskHistory.IContent> | undefined;
}

export namespace TaskHistory {
  export interface IContent {
    /** Newest first. */
    readonly commands: string[];
    readonly openTerminal: boolean;
  }
}
