/** A badge for a task whose program waits for input. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { questionLabel } from '../format/question';
import type { ITask } from '../services/types/tasks';

interface IQuestionBadgeProps {
  task: ITask;
  trans: TranslationBundle;
}

/** The badge, with the question as its tooltip; nothing if there is no question. */
export function QuestionBadge({ task, trans }: IQuestionBadgeProps): JSX.Element | null {
  const question = questionLabel(task, trans);
  if (!question) {
    return null;
  }
  return (
    <span
      className="jp-PtyTasks-question"
      title={
        task.waiting?.sure
          ? trans.__('Waits for input: %1', question)
          : trans.__('Probably waits for input: %1', question)
      }
    >
      {trans.__('waiting')}
    </span>
  );
}
