import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';

import { TaskSettings } from '../services/settings';
import description from '../../schema/plugin.json';

/** A registry that knows one plugin, or none. */
function registry(composite: object | null): {
  registry: ISettingRegistry;
  change: (composite: object) => void;
} {
  const owner = {};
  const changed = new Signal<object, void>(owner);
  const settings = { composite, changed };
  const load = () =>
    composite ? Promise.resolve(settings) : Promise.reject(new Error('no such plugin'));
  return {
    registry: { load } as unknown as ISettingRegistry,
    change: next => {
      settings.composite = next;
      changed.emit();
    }
  };
}

/** The defaults that the schema tells the user of. */
const described = Object.fromEntries(
  Object.entries(description.properties).map(([name, property]) => [name, property.default])
);

describe('TaskSettings', () => {
  it('begins with what the schema says', () => {
    expect(new TaskSettings(null).current).toEqual(described);
  });

  it('follows the user', async () => {
    const { registry: known, change } = registry({ notify: 'none' });
    const settings = new TaskSettings(known);
    const seen: string[] = [];
    settings.changed.connect(() => seen.push(settings.current.notify));
    await Promise.resolve();
    change({ notify: 'failures' });
    expect(seen).toEqual(['none', 'failures']);
  });

  it('takes nonsense for nothing', async () => {
    const settings = new TaskSettings(registry({ notify: 7, fileRunners: { '.py': 1 } }).registry);
    await Promise.resolve();
    expect(settings.current).toEqual(described);
  });

  it('stays as it is where the schema is disabled', async () => {
    const settings = new TaskSettings(registry(null).registry);
    await Promise.resolve();
    expect(settings.current).toEqual(described);
  });
});
