/** Notifies when tasks end, when their programs ask something, and when they get nowhere. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { commandIfPresent } from '../commands/ifpresent';
import { isAnswerable, noticeKey, questionMessage } from '../format/question';
import { warningKey, warningMessage } from '../format/warnings';
import { CompletionNotifier, type INotice } from '../services/completions';
import { LastingNotifier } from '../services/lasting';
import { TaskSettings } from '../services/settings';
import { CommandIDs, ITaskModel } from '../tokens';
import { isShown } from '../services/visible';

/** Milliseconds for which a success is shown; a failure stays until it is dismissed. */
const BRIEFLY = 5000;

/** The browser's notifications; missing in an insecure context. */
const Desktop = 'Notification' in window ? window.Notification : null;

export const notifyPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:notify',
  description:
    'Notifies when background tasks end, when they ask something, and when they get nowhere.',
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
            if (args.activate !== false) {
              questions.see(id);
              warnings.see(id);
            }
          });
        opening.set(id, opened);
      }
    });

    const openingOf = ({ id, isExplained }: Pick<INotice, 'id' | 'isExplained'>) =>
      id
        ? commandIfPresent(commands, isExplained ? CommandIDs.showReason : CommandIDs.open, { id })
        : commandIfPresent(commands, CommandIDs.showPanel);

    const actionsOf = (notice: INotice): Notification.IAction[] => {
      const { id, kind, isExplained } = notice;
      const actions: Notification.IAction[] = [];
      const open = openingOf(notice);
      if (open && isExplained) {
        actions.push({
          label: trans.__('Show Line'),
          caption: trans.__('Open the terminal at the line that says why the task failed'),
          displayType: 'accent',
          callback: open
        });
      } else if (open) {
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

    const showOnDesktop = (notice: Pick<INotice, 'id' | 'message' | 'isExplained'>) => {
      const isWanted = settings.current.desktopNotifications && !document.hasFocus();
      if (!isWanted || Desktop?.permission !== 'granted') {
        return undefined;
      }
      // The tag makes two windows show one notification.
      const shown = new Desktop(notice.message, { tag: `ptytasks-${notice.id ?? 'many'}` });
      shown.onclick = () => {
        window.focus();
        openingOf(notice)?.();
        shown.close();
      };
      return () => shown.close();
    };

    const isLookedAt = async (id: string) => {
      await opening.get(id);
      return isShown(id);
    };

    new CompletionNotifier({
      model,
      trans,
      notify: () => settings.current.notify,
      isLookedAt,
      show: notice => {
        const { kind, message } = notice;
        Notification.emit(message, kind, {
          autoClose: kind === 'success' ? BRIEFLY : false,
          actions: actionsOf(notice)
        });
        showOnDesktop(notice);
      }
    });

    const openAction = (id: string): Notification.IAction[] => {
      const open = commandIfPresent(commands, CommandIDs.open, { id });
      return open
        ? [
            {
              label: trans.__('Open'),
              caption: trans.__('Open the terminal of the task'),
              callback: open
            }
          ]
        : [];
    };

    /** Show a notification until it is closed. */
    const showLasting = (
      id: string,
      message: string,
      kind: 'info' | 'warning',
      actions: Notification.IAction[]
    ) => {
      const shown = Notification.emit(message, kind, { autoClose: false, actions });
      const closeOnDesktop = showOnDesktop({ id, message });
      return () => {
        Notification.dismiss(shown);
        closeOnDesktop?.();
      };
    };

    const questions = new LastingNotifier({
      model,
      keyOf: noticeKey,
      isWanted: () => settings.current.notifyQuestions,
      isLookedAt,
      show: task => {
        const { id } = task;
        const actions = openAction(id);
        const answer = isAnswerable(task) && commandIfPresent(commands, CommandIDs.answer, { id });
        if (answer) {
          actions.unshift({
            label: trans.__('Answer…'),
            caption: trans.__('Answer the question in a dialog'),
            displayType: 'accent',
            callback: event => {
              // The notification is closed when the question is answered.
              event.preventDefault();
              answer();
            }
          });
        }
        return showLasting(id, questionMessage(task, trans), 'info', actions);
      }
    });

    const warnings = new LastingNotifier({
      model,
      keyOf: warningKey,
      isWanted: () => settings.current.notify !== 'none',
      isLookedAt,
      show: task =>
        showLasting(task.id, warningMessage(task, trans), 'warning', openAction(task.id))
    });
  }
};
