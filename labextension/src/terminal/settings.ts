/** The user's terminal settings, which apply to the terminals of tasks too. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITerminal } from '@jupyterlab/terminal';
import { Signal, type ISignal } from '@lumino/signaling';

const PLUGIN = '@jupyterlab/terminal-extension:plugin';

/** The settings for appearance and behavior. Those for sessions do not apply: closing a tab must not end a task. */
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

  /** Resolves when the settings are loaded, or cannot be. */
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
      // JupyterLab's terminal extension is disabled: keep the defaults.
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
