import { nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import React, { act } from 'react';

import { isAnswerable, offeredKeys, questionKey, questionMessage } from '../format/question';
import { TaskError, type TaskApi } from '../services/api';
import type { IAnswer } from '../services/types/requests';
import { taskSchema, type ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';
import { AnswerField, type IAnswerFieldProps } from '../widgets/answer';
import { askForAnswer } from '../widgets/dialogs/answer';
import sample from '../../../tests/contract/task.json';

type Waiting = NonNullable<ITask['waiting']>;

const trans = nullTranslator.load('jupyter_ptytasks');
const QUESTION: Waiting = {
  kind: 'line',
  prompt: 'Proceed? [y/N] ',
  since: '2026-11-21T06:00:00.000Z',
  sure: true
};
const PASSWORD: Waiting = { ...QUESTION, kind: 'password', prompt: 'Password: ' };
const SECRET = 'correct horse';

function asking(changes: Partial<Waiting> | null, task: Partial<ITask> = {}): ITask {
  const waiting = changes && { ...QUESTION, ...changes };
  return { ...taskSchema.parse(sample), state: 'running', waiting, ...task };
}

const answer = jest.fn<Promise<void>, [string, IAnswer]>();
const refresh = jest.fn(async () => undefined);
const model = { api: { answer } as unknown as TaskApi, refresh };

function press(node: Element | null, key: string, init: KeyboardEventInit = {}): Promise<void> {
  return act(async () => {
    node?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...init }));
  });
}

beforeAll(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
});

beforeEach(() => {
  jest.clearAllMocks();
  answer.mockReset().mockResolvedValue(undefined);
});

describe('the words of a question', () => {
  it.each<[Partial<Waiting>, string]>([
    [{}, '“train” asks: Proceed? [y/N]'],
    [{ sure: false }, '“train” probably asks: Proceed? [y/N]'],
    [{ prompt: '' }, '“train” waits for input'],
    [{ kind: 'password', prompt: ' ' }, '“train” asks for a password']
  ])('%j: %s', (waiting, message) => {
    expect(questionMessage(asking(waiting), trans)).toBe(message);
  });

  it('leaves room for the question behind a long name', () => {
    const message = questionMessage(asking({}, { name: 'n'.repeat(128) }), trans);
    expect(message).toBe(`“${'n'.repeat(40)}…” asks: Proceed? [y/N]`);
  });

  it.each<[string, Waiting['kind'], string[], boolean]>([
    ['Proceed? [y/N] ', 'keys', ['y', 'N'], true],
    ['Overwrite (y/n/a)?', 'keys', ['y', 'n', 'a'], true],
    ['Proceed? [y/N] ', 'line', [], true],
    ['Password: ', 'password', [], true],
    ['--More--(3%)', 'keys', [], false],
    ['/tmp/[build]/x', 'keys', [], false],
    ['$ ', 'shell', [], false]
  ])('%s of kind %s offers %j', (prompt, kind, keys, can) => {
    const task = asking({ prompt, kind });
    expect(offeredKeys(task)).toEqual(keys);
    expect(isAnswerable(task)).toBe(can);
  });

  it('are of one question until there is another', () => {
    const keys = [
      asking({}),
      asking({}, { attempt: 7 }),
      asking({ since: '2026-11-21T06:01:00.000Z' }),
      asking({ kind: 'password' })
    ].map(questionKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(questionKey(asking({ prompt: 'Proc' }))).toBe(keys[0]);
    expect(questionKey(asking(null))).toBe('');
    expect(questionKey(asking({}, { state: 'failed' }))).toBe('');
  });
});

/** Has one field, which may be drawn again. */
class Frame extends ReactWidget {
  drawn = (<></>);

  protected override render(): JSX.Element {
    return this.drawn;
  }
}

describe('AnswerField', () => {
  let frame: Frame;
  let host: HTMLElement;

  const draw = (task: ITask, props: Partial<IAnswerFieldProps> = {}) =>
    act(() => {
      frame.drawn = <AnswerField task={task} model={model} trans={trans} {...props} />;
      frame.update();
      MessageLoop.flush();
    });
  const field = () => host.querySelector('input');
  const button = (label: string) =>
    [...host.querySelectorAll('button')].find(({ textContent }) => textContent === label);
  const live = () => host.querySelector('[aria-live="polite"]');
  const type = (text: string) => {
    const input = field() as HTMLInputElement;
    input.focus();
    input.value = text;
    return press(input, 'Enter');
  };

  beforeEach(() => {
    frame = new Frame();
    host = frame.node;
    act(() => Widget.attach(frame, document.body));
  });

  afterEach(() => {
    act(() => frame.dispose());
    jest.useRealTimers();
  });

  it('is empty while nothing is asked, and tells a screen reader when something is', () => {
    draw(asking(null));
    const region = live();
    expect(host.textContent).toBe('');
    expect(field()).toBeNull();
    draw(asking({ kind: 'shell', prompt: '$ ' }));
    expect(host.textContent).toBe('');
    draw(asking({}));
    expect(live()).toBe(region);
    expect(region?.textContent).toBe('Proceed? [y/N]');
    expect(field()?.labels?.[0].textContent).toBe('Proceed? [y/N]');
    expect(host.querySelector('[role="group"]')?.getAttribute('aria-label')).toBe(
      'Question of train'
    );
    draw(asking({}, { state: 'failed' }));
    expect(host.textContent).toBe('');
  });

  it('sends a line on Enter, only if the program waits, and empties itself', async () => {
    const onSent = jest.fn();
    draw(asking({}), { onSent });
    await type('y');
    expect(answer.mock.calls).toEqual([[sample.id, { data: 'y', newline: true, secret: false }]]);
    expect(field()?.value).toBe('');
    expect(onSent).toHaveBeenCalledTimes(1);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('sends an empty line, and by its button', async () => {
    draw(asking({}));
    await act(async () => button('Send')?.click());
    expect(answer).toHaveBeenCalledWith(sample.id, { data: '', newline: true, secret: false });
  });

  it('does not send what an input method composes, nor twice', async () => {
    let finish = () => {};
    answer.mockReturnValue(new Promise(resolve => (finish = resolve)));
    draw(asking({}));
    await press(field(), 'Enter', { isComposing: true });
    expect(answer).not.toHaveBeenCalled();
    await type('y');
    await press(field(), 'Enter');
    expect(answer).toHaveBeenCalledTimes(1);
    await act(async () => finish());
    await type('n');
    expect(answer).toHaveBeenCalledTimes(2);
  });

  it('masks a password, marks it, and keeps it nowhere', async () => {
    let fail: (error: Error) => void = () => {};
    answer.mockReturnValue(new Promise((_, reject) => (fail = reject)));
    draw(asking(PASSWORD));
    expect(field()?.type).toBe('password');
    expect(field()?.autocomplete).toBe('off');
    await type(SECRET);
    expect(answer).toHaveBeenCalledWith(sample.id, { data: SECRET, newline: true, secret: true });
    // At once, and not only when the server has answered.
    expect(field()?.value).toBe('');
    await act(async () => fail(new TaskError('no answer', 0, 'unreachable')));
    expect(field()?.value).toBe('');
    expect(live()?.textContent).toBe('Password:Not sent: no answer');
    expect(host.outerHTML).not.toContain(SECRET);
  });

  it('keeps a line that was not sent, so that it can be sent again', async () => {
    answer.mockRejectedValueOnce(new TaskError('no answer', 0, 'unreachable'));
    draw(asking({}));
    await type('yes');
    expect(field()?.value).toBe('yes');
    expect(field()?.getAttribute('aria-describedby')).toBe(
      host.querySelector('.jp-PtyTasks-answer-refused')?.id
    );
    await press(field(), 'Enter');
    expect(live()?.textContent).toBe('Proceed? [y/N]');
  });

  it.each([
    ['not_waiting', 'Not sent: the program no longer waits for input.'],
    ['password_wanted', 'Not sent: the program now asks for a password.']
  ])('says %s in words, for a while also when the question has gone', async (code, words) => {
    jest.useFakeTimers();
    answer.mockRejectedValueOnce(new TaskError('conflict', 409, code));
    draw(asking({}));
    await type('y');
    expect(live()?.textContent).toContain(words);
    draw(asking(null));
    expect(host.textContent).toBe(words);
    act(() => jest.advanceTimersByTime(60_000));
    expect(host.textContent).toBe('');
  });

  it('forgets what was typed when another question comes', async () => {
    answer.mockRejectedValueOnce(new TaskError('conflict', 409, 'not_waiting'));
    draw(asking({}));
    await type('y');
    draw(asking(PASSWORD));
    expect(field()?.value).toBe('');
    expect(live()?.textContent).toBe('Password:');
  });

  it('gives the focus to nothing else on the page when the question has gone', () => {
    draw(asking({}));
    field()?.focus();
    draw(asking(null));
    expect(document.activeElement).toBe(host.firstElementChild);
  });

  it('takes the focus only if it shall', () => {
    draw(asking({}));
    expect(document.activeElement).toBe(document.body);
    draw(asking(null));
    draw(asking(PASSWORD), { takesFocus: true });
    expect(document.activeElement).toBe(field());
  });

  it('offers the keys of the prompt, each without Enter', async () => {
    draw(asking({ kind: 'keys' }));
    expect(field()).toBeNull();
    await act(async () => button('N')?.click());
    expect(answer).toHaveBeenCalledWith(sample.id, { data: 'N', newline: false, secret: false });
  });

  it('opens the terminal for all other keys, if there is a way', () => {
    const open = jest.fn();
    draw(asking({ kind: 'keys', prompt: '(Pdb) ' }));
    expect(host.textContent).toBe('');
    draw(asking({ kind: 'keys', prompt: '(Pdb) ' }), { open });
    act(() => button('Open Terminal')?.click());
    expect(open).toHaveBeenCalledWith(sample.id);
  });

  it('lets no shortcut of the page have what is typed', () => {
    draw(asking({}));
    expect(field()?.closest('[data-lm-suppress-shortcuts]')).not.toBeNull();
  });
});

describe('the dialog', () => {
  let known: ITask | undefined;
  const changed = new Signal<object, void>({});
  const whole = { ...model, changed, get: () => known } as unknown as ITaskModel;
  const dialog = () => document.querySelector('.jp-Dialog');
  const tell = (task: ITask | undefined) =>
    act(async () => {
      known = task;
      changed.emit();
    });
  const show = async (task: ITask) => {
    known = task;
    const done = jest.fn();
    await act(async () => {
      void askForAnswer({ task, model: whole, trans }).then(done);
      // React draws when the browser is idle.
      await new Promise(resolve => setTimeout(resolve, 50));
    });
    return done;
  };

  it('asks for the password, and closes when it was sent', async () => {
    const done = await show(asking(PASSWORD));
    const field = dialog()?.querySelector('input') as HTMLInputElement;
    expect(document.activeElement).toBe(field);
    expect(dialog()?.ariaLabel).toBe('“train” Asks');
    field.value = SECRET;
    await press(field, 'Enter');
    expect(answer).toHaveBeenCalledWith(sample.id, { data: SECRET, newline: true, secret: true });
    await act(async () => undefined);
    expect(dialog()).toBeNull();
    expect(done).toHaveBeenCalled();
  });

  it('says that it is too late, and stays until it is closed', async () => {
    const done = await show(asking({}));
    expect(dialog()?.textContent).not.toContain('no longer');
    await tell(asking(null));
    expect(dialog()?.textContent).toContain('The program no longer waits for an answer.');
    await press(dialog(), 'Escape');
    await act(async () => undefined);
    expect(dialog()).toBeNull();
    expect(done).toHaveBeenCalled();
    expect(answer).not.toHaveBeenCalled();
  });
});
