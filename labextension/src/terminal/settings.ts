/** The user's settings of terminals, which hold for the terminals of tasks, too. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITerminal } from '@jupyterlab/terminal';
import { Signal, type ISignal } from '@lumino/signaling';

const PLUGIN = '@jupyterlab/terminal-extension:plugin';

/** Those that say how a terminal looks and feels; what becomes of its session is another matter for tasks. */
const NAMES: readonly (keyof ITerminal.IOptions)[] = [
  'cursorBlink',
  'fontFamily',
  'fontSize',
  'lineHeight',
  'macOptionIsMeta',
  'pasteWithCtrlV',
  'screenReaderMode',
  'scrollback',
  'theme'
];

export class TerminalSettings {
  constructor(registry: ISettingRegistry | null) {
    this.ready = registry ? this._load(registry) : Promise.resolve();
  }

  /** Resolves when they are read, or there turned out to be none. */
  readonly ready: Promise<void>;

  get options(): Partial<ITerminal.IOptions> {
    return this._options;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private async _load(registry: ISettingRegistry): Promise<void> {
    try {
      const settings = await registry.load(PLUGIN);
      this._take(settings);
      settings.changed.connect(this._take, this);
    } catch {
      // Lab's terminals are switched off: theirs are no settings then, and ours look as they do by default.
    }
  }

  private _take(settings: ISettingRegistry.ISettings): void {
    const { composite } = settings;
    const found = NAMES.filter(name => composite[name] !== undefined);
    this._options = Object.fromEntries(found.map(name => [name, composite[name]]));
    this._changed.emit();
  }

  private _options: Partial<ITerminal.IOptions> = {};
  private readonly _changed = new Signal<this, void>(this);
}
