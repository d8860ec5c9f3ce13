/** The question of a program, and a field to answer it: in cells, above terminals and in a dialog. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

import { isAnswerable, offeredKeys, questionKey, questionLabel } from '../format/question';
import { TaskError } from '../services/api';
import type { IAnswer } from '../services/types/requests';
import type { ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';

/** Milliseconds for which the message stays that an answer came too late. */
const LINGERS = 10_000;

interface IAnsweringProps {
  task: ITask;
  model: Pick<ITaskModel, 'api' | 'refresh'>;
  /** Whether the field takes the focus when it appears. */
  takesFocus?: boolean;
  /** Called when an answer was sent. */
  onSent?: () => void;
  trans: TranslationBundle;
}

export interface IAnswerFieldProps extends IAnsweringProps {
  /** Open the terminal, for programs that read keys which are not offered here. Without it, such questions are not shown. */
  open?: (id: string) => void;
}

/** Why an answer was not sent; `key` identifies its question. */
interface IRefusal {
  key: string;
  text: string;
}

/**
 * The question and its field. Without a question it is empty, but stays in the document as a live region for screen readers.
 * The typed text is only in the field itself, which is cleared when the text is sent or the question changes.
 */
export function AnswerField(props: IAnswerFieldProps): JSX.Element {
  const { task, open, trans } = props;
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const [refusal, setRefusal] = useState<IRefusal | null>(null);
  const key = isAnswerable(task) || open ? questionKey(task) : '';
  const label = key && questionLabel(task, trans);
  useEffect(() => {
    if (refusal && !label) {
      const timer = setTimeout(() => setRefusal(null), LINGERS);
      return () => clearTimeout(timer);
    }
    return undefined;
  }, [refusal, label]);
  const said = refusal && (!label || refusal.key === key) ? refusal.text : '';
  return (
    <div
      ref={root}
      className="jp-PtyTasks-answer"
      role={label ? 'group' : undefined}
      aria-label={label ? trans.__('Question of %1', task.name) : undefined}
      data-is={label || said ? (task.waiting?.kind ?? 'refusal') : undefined}
      // Typing must not trigger shortcuts of notebooks or JupyterLab.
      data-lm-suppress-shortcuts="true"
      tabIndex={-1}
    >
      <span className="jp-PtyTasks-answer-live" aria-live="polite">
        {label && (
          <label className="jp-PtyTasks-answer-question" htmlFor={id} title={label}>
            {label}
          </label>
        )}
        {said && (
          <span className="jp-PtyTasks-answer-refused" id={`${id}-refused`} title={said}>
            {said}
          </span>
        )}
      </span>
      {label && (
        <Answering
          {...props}
          key={key}
          id={id}
          isRefused={said !== ''}
          frame={root}
          onRefused={text => setRefusal(text ? { key, text } : null)}
        />
      )}
    </div>
  );
}

interface IOneProps extends IAnswerFieldProps {
  id: string;
  isRefused: boolean;
  /** The element that takes the focus when the question disappears. */
  frame: React.RefObject<HTMLElement>;
  /** Called with the reason why an answer was not sent, and with an empty text when another one is sent. */
  onRefused: (text: string) => void;
}

/** The controls to answer one question: a field, or a button for each key. */
function Answering(props: IOneProps): JSX.Element | null {
  const { task, model, id, isRefused, frame, takesFocus, open, onRefused, onSent, trans } = props;
  const own = useRef<HTMLSpanElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const isSending = useRef(false);
  useLayoutEffect(() => {
    const { current } = own;
    if (takesFocus) {
      current?.querySelector<HTMLElement>('input, button')?.focus();
    }
    return () => {
      // Otherwise the page would have the focus, and the next key would trigger something else.
      if (current?.contains(document.activeElement)) {
        frame.current?.focus();
      }
    };
  }, []);

  const send = async (answer: IAnswer) => {
    if (isSending.current) {
      return;
    }
    isSending.current = true;
    onRefused('');
    try {
      await model.api.answer(task.id, answer);
      if (field.current) {
        field.current.value = '';
      }
      onSent?.();
    } catch (error) {
      onRefused(refusalText(error, trans));
    } finally {
      // The question may have ended without an event.
      await model.refresh();
      isSending.current = false;
    }
  };
  const sendField = () => {
    const { current } = field;
    if (!current) {
      return;
    }
    const isSecret = current.type === 'password';
    void send({ data: current.value, newline: true, secret: isSecret });
    if (isSecret) {
      current.value = '';
    }
  };

  const keys = offeredKeys(task);
  const isPassword = task.waiting?.kind === 'password';
  return (
    <span className="jp-PtyTasks-answer-controls" ref={own}>
      {task.waiting?.kind !== 'keys' && (
        <>
          <input
            ref={field}
            id={id}
            className="jp-PtyTasks-answer-input"
            type={isPassword ? 'password' : 'text'}
            autoComplete="off"
            autoCapitalize="off"
            autoCorrect="off"
            spellCheck={false}
            aria-describedby={isRefused ? `${id}-refused` : undefined}
            onKeyDown={event => {
              if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
                event.preventDefault();
                sendField();
              }
            }}
          />
          <button type="button" className="jp-PtyTasks-button" onClick={sendField}>
            {trans.__('Send')}
          </button>
        </>
      )}
      {keys.map(key => (
        <button
          key={key}
          type="button"
          className="jp-PtyTasks-button"
          aria-label={trans.__('Press %1', key)}
          onClick={() => void send({ data: key, newline: false, secret: false })}
        >
          {key}
        </button>
      ))}
      {task.waiting?.kind === 'keys' && keys.length === 0 && open && (
        <button type="button" className="jp-PtyTasks-button" onClick={() => open(task.id)}>
          {trans.__('Open Terminal')}
        </button>
      )}
    </span>
  );
}

/** Return the message why an answer was not sent. */
function refusalText(error: unknown, trans: TranslationBundle): string {
  const code = error instanceof TaskError ? error.code : '';
  if (code === 'not_waiting') {
    return trans.__('Not sent: the program no longer waits for input.');
  }
  if (code === 'password_wanted') {
    return trans.__('Not sent: the program now asks for a password.');
  }
  return trans.__('Not sent: %1', error instanceof Error ? error.message : `${error}`);
}
