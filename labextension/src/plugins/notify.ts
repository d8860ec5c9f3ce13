/** Notifies when tasks end. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { commandIfPresent } from '../commands/ifpresent';
import { CompletionNotifier, type INotice } from '../services/completions';
import { TaskSettings } from '../services/settings';
import { CommandIDs, ITaskModel } from '../tokens';
import { isShown } from '../services/visible';

/** Milliseconds for which a success is shown; a failure stays until it is dismissed. */
const BRIEFLY = 5000;

/** The browser's notifications; missing in an insecure context. */
const Desktop = 'Notification' in window ? window.Notification : null;

export const notifyPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:notify',
  description: 'Notifies when background tasks end.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const settings = new TaskSettings(registry);

    settings.changed.connect(() => {
      if (settings.current.desktopNotifications && Desktop?.permission === 'default') {
        void Desktop.requestPermission();
      }
    });

    // Terminals that are being opened.
    const opening = new Map<string, Promise<unknown>>();
    commands.commandExecuted.connect((_, { id: command, args, result }) => {
      if (command === CommandIDs.open && typeof args.id === 'string') {
        const { id } = args;
        const opened = result
          .catch(() => undefined)
          .then(() => {
            opening.delete(id);
          });
        opening.set(id, opened);
      }
    });

    const openingOf = ({ id }: INotice) =>
      id
        ? commandIfPresent(commands, CommandIDs.open, { id })
        : commandIfPresent(commands, CommandIDs.showPanel);

    const actionsOf = (notice: INotice): Notification.IAction[] => {
      const { id, kind } = notice;
      const actions: Notification.IAction[] = [];
      const open = openingOf(notice);
      if (open) {
        actions.push({
          label: id ? trans.__('Open') : trans.__('Show Tasks'),
          caption: id
            ? trans.__('Open the terminal of the task')
            : trans.__('Show the Tasks panel'),
          displayType: 'accent',
          callback: open
        });
      }
      const again =
        id && kind === 'error' && commandIfPresent(commands, CommandIDs.runAgain, { id });
      if (again) {
        actions.push({
          label: trans.__('Run Again'),
          caption: trans.__('Run the same command again'),
          callback: again
        });
      }
      return actions;
    };

    const showOnDesktop = (notice: INotice) => {
      const isWanted = settings.current.desktopNotifications && !document.hasFocus();
      if (!isWanted || Desktop?.permission !== 'granted') {
        return;
      }
      // The tag makes two windows show one notification.
      const shown = new Desktop(notice.message, { tag: `ptytasks-${notice.id ?? 'many'}` });
      shown.onclick = () => {
        window.focus();
        openingOf(notice)?.();
        shown.close();
      };
    };

    new CompletionNotifier({
      model,
      trans,
      notify: () => settings.current.notify,
      isLookedAt: async id => {
        await opening.get(id);
        return isShown(id);
      },
      show: notice => {
        const { kind, message } = notice;
        Notification.emit(message, kind, {
          autoClose: kind === 'success' ? BRIEFLY : false,
          actions: actionsOf(notice)
        });
        showOnDesktop(notice);
      }
    });
  }
};
