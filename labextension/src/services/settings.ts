/** The user's settings, validated. They are described in schema/plugin.json. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal, type ISignal } from '@lumino/signaling';
import { z } from 'zod';

/** The plugin whose schema describes all settings. */
const SETTINGS_ID = 'jupyter-ptytasks:plugin';

const FILE_RUNNERS = {
  '.py': 'python {file}',
  '.sh': 'bash {file}',
  '.ipynb': '{python} -m jupyter_ptytasks.execute {file}',
  '.R': 'Rscript {file}',
  '.jl': 'julia {file}'
};

const TEXT_RUNNERS = {
  '.py': 'python -c {text}',
  '.R': 'Rscript -e {text}',
  '.jl': 'julia -e {text}'
};

/** Invalid values are treated as unset. */
const schema = z.object({
  notify: z.enum(['all', 'failures', 'none']).catch('all'),
  notifyMinimum: z.number().nonnegative().catch(0),
  quietGroups: z.array(z.string()).catch([]),
  notifyQuestions: z.boolean().catch(true),
  notifyWarnings: z.boolean().catch(true),
  desktopNotifications: z.boolean().catch(false),
  fileRunners: z.record(z.string()).catch(FILE_RUNNERS),
  textRunners: z.record(z.string()).catch(TEXT_RUNNERS)
});

export type ISettings = Readonly<z.infer<typeof schema>>;

/** The settings; the defaults until they are loaded, or if there is no setting registry. */
export class TaskSettings {
  constructor(registry: ISettingRegistry | null) {
    // If the plugin that owns the schema is disabled, keep the defaults.
    registry?.load(SETTINGS_ID).then(
      settings => {
        const take = () => {
          this._current = schema.parse(settings.composite);
          this._changed.emit();
        };
        settings.changed.connect(take);
        take();
      },
      () => undefined
    );
  }

  get current(): ISettings {
    return this._current;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private _current: ISettings = schema.parse({});
  private readonly _changed = new Signal<this, void>(this);
}
