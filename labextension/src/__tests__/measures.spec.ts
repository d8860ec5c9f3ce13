import { nullTranslator } from '@jupyterlab/translation';

import {
  hasBar,
  peakLabel,
  percent,
  progressLabel,
  remaining,
  storageLabel,
  usageDetails,
  usageLabel
} from '../format/measures';
import type { IProgress } from '../services/types/measured';
import type { State } from '../services/types/states';
import { taskSchema, type ITask } from '../services/types/tasks';
import { points } from '../widgets/usage';
import { PROGRESS, USAGE } from './samples';
import cases from '../../../tests/contract/remaining.json';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const task: ITask = taskSchema.parse(sample);

describe('progress', () => {
  const updated = Date.parse(PROGRESS.updated);
  let now = updated;

  beforeEach(() => {
    now = updated;
  });

  const label = (progress: Partial<IProgress>, of: Partial<ITask> = {}, isSnapshot = false) =>
    progressLabel(
      { ...task, last_activity: PROGRESS.updated, ...of },
      { ...PROGRESS, ...progress },
      now,
      trans,
      isSnapshot
    );

  it('is in whole percents, and complete only when it is', () => {
    const of = (fraction: number | null) => percent({ ...PROGRESS, fraction });
    expect([0, 0.5, 0.999, 1, 1.2, -1, null].map(of)).toEqual([0, 50, 99, 100, 100, 0, null]);
  });

  it('says what is left, where that is known', () => {
    expect(label({ fraction: 0.62, eta: 200 })).toBe('62% · 3m 20s left');
    expect(label({ fraction: null, eta: 200 })).toBe('3m 20s left');
    expect(label({ fraction: null })).toBe('');
  });

  it('leaves nothing to a task that has ended, or that was seen some day', () => {
    expect(label({ fraction: 0.62, eta: 200 }, { state: 'failed' })).toBe('62%');
    expect(label({ fraction: 0.62, eta: 200 }, {}, true)).toBe('62%');
  });

  it('says that nothing has come for a while', () => {
    now = updated + 30_000;
    expect(label({ fraction: 0.62, eta: 6 })).toBe('62% · 20s left');
    now = updated + 100_000;
    expect(label({ fraction: 0.62, eta: 6 })).toBe('62% · silent for 1m 40s');
    expect(label({ fraction: 0.62, eta: 6 }, {}, true)).toBe('62%');
  });

  it.each(cases.map(one => [one.what, one] as const))('leaves so much: %s', (_, one) => {
    const state = one.task.state as State;
    const progress = { ...PROGRESS, ...one.progress };
    const found = remaining({ ...one.task, state }, progress, Date.parse(one.now));
    expect(found).toEqual(one.remaining);
  });

  it('never has less left the longer nothing comes, once the next step is late', () => {
    for (const eta of [0, 6, 59, 5000]) {
      const left = (seconds: number) => {
        const progress = { ...PROGRESS, eta, tracks: [{ total: 1e6 }] };
        const of = { state: 'running', last_activity: PROGRESS.updated } as const;
        const found = remaining(of, progress, updated + 1000 * seconds);
        return found && 'left' in found ? found.left : Infinity;
      };
      for (let seconds = 10; seconds < 70; seconds++) {
        expect(left(seconds + 1)).toBeGreaterThanOrEqual(left(seconds));
      }
    }
  });

  it.each<[State, number | null, boolean, boolean]>([
    ['running', null, false, true],
    ['paused', null, false, true],
    ['running', null, true, false],
    ['failed', null, false, false],
    ['succeeded', null, false, false],
    ['failed', 0.4, false, true],
    ['running', 0.4, true, true]
  ])('%s, %s done, snapshot %s: a bar %s', (state, fraction, isSnapshot, expected) => {
    expect(hasBar({ state }, { ...PROGRESS, fraction }, isSnapshot)).toBe(expected);
  });
});

describe('usage', () => {
  const usage = {
    ...USAGE,
    cpu: 187.4,
    rss: 1.2 * 2 ** 30,
    peak: { ...USAGE.peak, cpu: 390, rss: 2 ** 31 }
  };

  it.each([
    [1.2 * 2 ** 30, 5 * 2 ** 30, '1.2 of 5 GiB'],
    [340 * 2 ** 20, 5 * 2 ** 30, '340 MiB of 5 GiB'],
    [0, 2.5 * 2 ** 30, '0 B of 2.5 GiB'],
    [12 * 2 ** 30, 5 * 2 ** 30, '12 of 5 GiB'],
    [1.2 * 2 ** 30, null, '1.2 GiB']
  ])('of the disk: %d of %d', (used, limit, text) => {
    expect(storageLabel(used, limit, trans)).toBe(text);
  });

  it('is described in a few words', () => {
    expect(usageLabel(usage, trans)).toBe('187% · 1.2 GiB');
    expect(usageLabel({ ...usage, gpu_load: 45, gpu_memory: 3 * 2 ** 30 }, trans)).toBe(
      '187% · 1.2 GiB · GPU 45% · 3.0 GiB'
    );
    expect(usageLabel(USAGE, trans)).toBe('');
    expect(peakLabel(usage, trans)).toBe('Peak 390% · 2.0 GiB');
    expect(peakLabel(USAGE, trans)).toBe('');
  });

  it('is described in more words, with the owner of the GPU values', () => {
    expect(usageDetails(usage, trans).split('\n')).toEqual([
      'CPU (100% is one core): 187% (peak 390%)',
      'Memory: 1.2 GiB (peak 2.0 GiB)'
    ]);
    const shared = { ...USAGE, gpu_load: 45, gpu_scope: 'device' as const };
    expect(usageDetails(shared, trans)).toBe('GPU (all processes): 45%');
    expect(usageDetails({ ...USAGE, peak: usage.peak }, trans)).toContain('Memory: peak 2.0 GiB');
  });
});

describe('the corners of a line', () => {
  it('go from left to right, as high as they are of the top', () => {
    expect(points([0, 50, 100], 100)).toBe('0.0,15.0 30.0,8.0 60.0,1.0');
  });

  it('pass over what was not measured', () => {
    expect(points([0, null, 100], 200)).toBe('0.0,15.0 60.0,8.0');
    expect(points([null, null], 0)).toBe('');
    expect(points([0, 0], 0)).toBe('0.0,15.0 60.0,15.0');
  });
});
