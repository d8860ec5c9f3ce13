/** Our own context menus: commands in groups, for some tasks. */

import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

/** Open a menu at a position of the window. Commands of plugins that are disabled are left out. */
export function openMenu(
  commands: CommandRegistry,
  groups: readonly (readonly string[])[],
  args: ReadonlyJSONObject,
  x: number,
  y: number
): void {
  const menu = new MenuSvg({ commands });
  for (const group of groups) {
    menu.addItem({ type: 'separator' });
    for (const command of group.filter(name => commands.hasCommand(name))) {
      menu.addItem({ command, args });
    }
  }
  menu.aboutToClose.connect(() => {
    // The chosen command is executed after this signal.
    setTimeout(() => menu.dispose());
  });
  giveFocusBack(menu);
  menu.open(x, y);
}

/** Restore the focus when a menu closes: Lumino's menus do not. */
export function giveFocusBack(menu: Pick<MenuSvg, 'aboutToClose'>): void {
  const focused = document.activeElement;
  const onClose = () => {
    menu.aboutToClose.disconnect(onClose);
    if (focused instanceof HTMLElement) {
      focused.focus({ preventScroll: true });
    }
  };
  menu.aboutToClose.connect(onClose);
}
