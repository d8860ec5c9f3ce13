import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { noticeKey, questionMessage } from '../format/question';
import { LastingNotifier } from '../services/lasting';
import { taskSchema, type ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');

type Waiting = NonNullable<ITask['waiting']>;

const QUESTION: Waiting = { kind: 'line', prompt: 'Proceed? [y/N] ', since: 'then', sure: true };

function asking(changes: Partial<Waiting> | null = {}, task: Partial<ITask> = {}): ITask {
  const waiting = changes && { ...QUESTION, ...changes };
  return { ...taskSchema.parse(sample), state: 'running', waiting, ...task };
}

describe('noticeKey', () => {
  it.each<[Waiting['kind'], string, boolean]>([
    ['line', '', true],
    ['password', 'Password: ', true],
    ['keys', '(Pdb) ', true],
    ['keys', ' ', false],
    ['shell', '$ ', false]
  ])('%s with the prompt “%s”: %s', (kind, prompt, isWorth) => {
    expect(noticeKey(asking({ kind, prompt })) !== '').toBe(isWorth);
    expect(noticeKey(asking(null))).toBe('');
  });
});

describe('LastingNotifier', () => {
  let shown: string[];
  let lookedAt: string | null;
  let isWanted: boolean;
  let tasks: ITask[];
  let notifier: LastingNotifier;
  let change: (...tasks: ITask[]) => void;
  let tell: (...tasks: ITask[]) => Promise<void>;

  beforeEach(async () => {
    jest.useFakeTimers();
    shown = [];
    tasks = [];
    lookedAt = null;
    isWanted = true;
    const owner = {
      isReady: true,
      get tasks() {
        return tasks;
      },
      get: (id: string) => tasks.find(task => task.id === id)
    };
    const changed = new Signal<object, void>(owner);
    notifier = new LastingNotifier({
      model: Object.assign(owner, { changed }) as unknown as ITaskModel,
      keyOf: noticeKey,
      isWanted: () => isWanted,
      isLookedAt: async id => id === lookedAt,
      show: task => {
        const message = questionMessage(task, trans);
        shown.push(message);
        return () => shown.splice(shown.indexOf(message), 1);
      }
    });
    change = (...now) => {
      tasks = now;
      changed.emit();
    };
    tell = async (...now) => {
      change(...now);
      await jest.advanceTimersByTimeAsync(1000);
    };
    await tell();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('notifies once, until the question is answered', async () => {
    await tell(asking());
    await tell(asking());
    expect(shown).toEqual(['“train” asks: Proceed? [y/N]']);
    await tell(asking(null));
    expect(shown).toEqual([]);
  });

  it('has one notification of a question that is gone for a moment', async () => {
    change(asking());
    change(asking(null));
    await tell(asking());
    expect(shown).toHaveLength(1);
    await tell(asking(null));
    expect(shown).toEqual([]);
  });

  it('has one notification for each task, of its last question', async () => {
    await tell(asking(), asking({}, { id: 'other', name: 'other' }));
    await tell(
      asking({ since: 'later', prompt: 'Sure? ' }),
      asking({}, { id: 'other', name: 'other' })
    );
    expect(shown).toEqual(['“other” asks: Proceed? [y/N]', '“train” asks: Sure?']);
  });

  it.each<[string, () => ITask[]]>([
    ['the task ends', () => [asking({}, { state: 'failed' })]],
    ['the task is deleted', () => []]
  ])('closes it when %s', async (_, then) => {
    await tell(asking());
    expect(shown).toHaveLength(1);
    await tell(...then());
    expect(shown).toEqual([]);
  });

  it('is silent about what is looked at, also when the user turns away', async () => {
    lookedAt = sample.id;
    await tell(asking());
    lookedAt = null;
    await tell(asking());
    expect(shown).toEqual([]);
  });

  it('is silent about what the user looks at before it notifies, and closes it afterwards', async () => {
    const seen = asking();
    const first = tell(seen);
    notifier.see([seen.id]);
    await first;
    expect(shown).toEqual([]);
    await tell(asking({ since: 'later' }));
    expect(shown).toHaveLength(1);
    notifier.see([seen.id]);
    expect(shown).toEqual([]);
  });

  it('is silent if it shall be, and about what is answered at once', async () => {
    isWanted = false;
    await tell(asking());
    expect(shown).toEqual([]);
    isWanted = true;
    const quick = tell(asking({ since: 'later' }));
    tasks = [asking(null)];
    await tell(asking(null));
    await quick;
    expect(shown).toEqual([]);
  });

  it('closes what is no longer wanted, and shows it again when it is', async () => {
    await tell(asking());
    isWanted = false;
    notifier.reconsider();
    expect(shown).toEqual([]);
    isWanted = true;
    notifier.reconsider();
    notifier.reconsider();
    await tell(asking());
    expect(shown).toHaveLength(1);
    // Not before it has lasted.
    change(asking({ since: 'later' }));
    notifier.reconsider();
    await Promise.resolve();
    expect(shown).toEqual([]);
  });

  it('does not come back to what was looked at', async () => {
    lookedAt = sample.id;
    await tell(asking());
    lookedAt = null;
    notifier.reconsider();
    await tell(asking());
    expect(shown).toEqual([]);
  });

  it('waits for the terminal of a task that has just started', async () => {
    const started = new Date(Date.now()).toISOString();
    await tell(asking({}, { started }));
    lookedAt = sample.id;
    await jest.advanceTimersByTimeAsync(3000);
    expect(shown).toEqual([]);
  });

  it('tells of a question that was there before the page', async () => {
    const owner = { isReady: true, tasks: [asking()], get: () => asking() };
    const show = jest.fn(() => () => {});
    new LastingNotifier({
      model: Object.assign(owner, { changed: new Signal({}) }) as unknown as ITaskModel,
      keyOf: noticeKey,
      isWanted: () => true,
      isLookedAt: async () => false,
      show
    });
    await jest.advanceTimersByTimeAsync(1000);
    expect(show).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(3000);
    expect(show).toHaveBeenCalledTimes(1);
  });
});
