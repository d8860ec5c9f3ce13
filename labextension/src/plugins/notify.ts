/** Tells of the ends of tasks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { offer } from '../commands/offer';
import { EndWatch, type INotice } from '../services/completions';
import { TaskSettings } from '../services/settings';
import { CommandIDs, ITaskModel } from '../tokens';

/** Milliseconds for which a success is shown; what went wrong stays until it is seen to. */
const BRIEFLY = 5000;

/** What the browser calls a notification; it is not there in an insecure context. */
const Desktop = 'Notification' in window ? window.Notification : null;

export const notifyPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:notify',
  description: 'Notifies of the ends of background tasks.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load('jupyter_ptytasks');
    const settings = new TaskSettings(registry);

    settings.changed.connect(() => {
      if (settings.current.desktopNotifications && Desktop?.permission === 'default') {
        void Desktop.requestPermission();
      }
    });

    const opening = ({ id }: INotice) =>
      id ? offer(commands, CommandIDs.open, { id }) : offer(commands, CommandIDs.showPanel);

    const actionsOf = (notice: INotice): Notification.IAction[] => {
      const { id, kind } = notice;
      const actions: Notification.IAction[] = [];
      const open = opening(notice);
      if (open) {
        actions.push({
          label: id ? trans.__('Open') : trans.__('Show Tasks'),
          caption: id
            ? trans.__('Open the terminal of the task')
            : trans.__('Show the panel of tasks'),
          displayType: 'accent',
          callback: open
        });
      }
      const again = id && kind === 'error' && offer(commands, CommandIDs.runAgain, { id });
      if (again) {
        actions.push({
          label: trans.__('Run Again'),
          caption: trans.__('Run the same command once more'),
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
      // A task that ends in two windows is told of once.
      const shown = new Desktop(notice.message, { tag: `ptytasks-${notice.id ?? 'many'}` });
      shown.onclick = () => {
        window.focus();
        opening(notice)?.();
        shown.close();
      };
    };

    new EndWatch({
      model,
      trans,
      notify: () => settings.current.notify,
      isLookedAt: id =>
        document.visibilityState === 'visible' && shell.currentWidget?.node.dataset.ptytask === id,
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
