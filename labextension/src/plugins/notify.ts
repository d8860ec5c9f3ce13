/** Notifies when tasks end, ask a question, or have warnings. */

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
import type { ITask } from '../services/types/tasks';
import { isShown } from '../services/visible';
import { CommandIDs, ISeenTasks, ITaskModel } from '../tokens';
import { EndsToast } from '../widgets/endstoast';
import { WarningsToast } from '../widgets/warningstoast';

/** The browser's notifications; missing in an insecure context. */
const Desktop = 'Notification' in window ? window.Notification : null;

export const notifyPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ptytasks:notify',
  description: 'Notifies when background tasks end, ask a question, or have warnings.',
  autoStart: true,
  requires: [ITaskModel],
  optional: [ISeenTasks, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: ITaskModel,
    seen: ISeenTasks | null,
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
        const opened = result.catch(() => undefined).then(() => opening.delete(id));
        opening.set(id, opened);
      }
    });

    /** Return a function that shows the tasks of a notice; undefined if its plugin is disabled. */
    const openingOf = (
      { ids, isExplained }: Pick<INotice, 'ids' | 'isExplained'>,
      label = trans.__('%1 ended', ids.length)
    ) => {
      const [id] = ids;
      return ids.length > 1
        ? commandIfPresent(commands, CommandIDs.showPanel, { ids: [...ids], label })
        : commandIfPresent(commands, isExplained ? CommandIDs.showReason : CommandIDs.open, { id });
    };

    const actionsOf = (notice: INotice): Notification.IAction[] => {
      const { ids, kind, isExplained } = notice;
      const isOne = ids.length === 1;
      const actions: Notification.IAction[] = [];
      const open = openingOf(notice);
      if (open && isOne && isExplained) {
        actions.push({
          label: trans.__('Show Line'),
          caption: trans.__('Open the terminal at the line that says why the task failed'),
          displayType: 'accent',
          callback: open
        });
      } else if (open) {
        actions.push({
          label: isOne ? trans.__('Open') : trans.__('Show Tasks'),
          caption: isOne
            ? trans.__('Open the terminal of the task')
            : trans.__('Show these tasks in the Tasks panel'),
          displayType: 'accent',
          callback: open
        });
      }
      const again =
        isOne &&
        kind === 'error' &&
        commandIfPresent(commands, CommandIDs.runAgain, { id: ids[0] });
      if (again) {
        actions.push({
          label: trans.__('Run Again'),
          caption: trans.__('Run the same command again'),
          callback: again
        });
      }
      return actions;
    };

    const showOnDesktop = (
      notice: Pick<INotice, 'ids' | 'message' | 'isExplained'>,
      tag: string
    ) => {
      const isWanted = settings.current.desktopNotifications && !document.hasFocus();
      if (!isWanted || Desktop?.permission !== 'granted') {
        return undefined;
      }
      // The tag makes two windows show one notification, which the next one replaces.
      const shown = new Desktop(notice.message, { tag: `ptytasks-${tag}` });
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

    const ends = new CompletionNotifier({
      model,
      trans,
      rules: () => settings.current,
      isLookedAt,
      toast: new EndsToast(actionsOf, notice => {
        showOnDesktop(notice, 'ends');
      })
    });

    const isQuiet = ({ group }: ITask) => settings.current.quietGroups.includes(group);

    const openAction = (...ids: readonly string[]): Notification.IAction[] => {
      const open = openingOf({ ids }, trans.__('%1 with warnings', ids.length));
      const isOne = ids.length === 1;
      return open
        ? [
            {
              label: isOne ? trans.__('Open') : trans.__('Show Tasks'),
              caption: isOne
                ? trans.__('Open the terminal of the task')
                : trans.__('Show these tasks in the Tasks panel'),
              callback: open
            }
          ]
        : [];
    };

    /** Show a question until it is closed. */
    const showLasting = (id: string, message: string, actions: Notification.IAction[]) => {
      const shown = Notification.emit(message, 'info', { autoClose: false, actions });
      const closeOnDesktop = showOnDesktop({ ids: [id], message }, id);
      return () => {
        Notification.dismiss(shown);
        closeOnDesktop?.();
      };
    };

    const questions = new LastingNotifier({
      model,
      keyOf: noticeKey,
      isWanted: task => settings.current.notifyQuestions && !isQuiet(task),
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
        return showLasting(id, questionMessage(task, trans), actions);
      }
    });

    const toast = new WarningsToast(ids => openAction(...ids), trans);
    const warnings = new LastingNotifier({
      model,
      keyOf: warningKey,
      isWanted: task => settings.current.notifyWarnings && !isQuiet(task),
      isLookedAt,
      show: task => {
        const message = warningMessage(task, trans);
        const close = toast.add(task.id, message);
        const closeOnDesktop = showOnDesktop({ ids: [task.id], message }, task.id);
        return () => {
          close();
          closeOnDesktop?.();
        };
      }
    });

    settings.changed.connect(() => {
      questions.reconsider();
      warnings.reconsider();
    });
    seen?.looked.connect((_, ids) => {
      ends.see(ids);
      questions.see(ids);
      warnings.see(ids);
    });
  }
};
