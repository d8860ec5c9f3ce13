import { Signal } from '@lumino/signaling';

import {
  best,
  breaks,
  extended,
  heights,
  numeral,
  places,
  positive,
  smoothed,
  stepNumeral,
  ticks,
  trendOf
} from '../format/curves';
import { CurveFollower } from '../services/curves';
import { curvesSchema, type ICurve, type ICurves } from '../services/types/measured';
import { taskSchema, type ITask } from '../services/types/tasks';
import type { ITaskModel } from '../tokens';
import sample from '../../../tests/contract/task.json';

const task: ITask = taskSchema.parse(sample);

function curve(values: number[], from = 0, name = 'loss'): ICurve {
  const steps = values.map((_, at) => from + at);
  return {
    name,
    value: values[values.length - 1] ?? NaN,
    min: Math.min(...values),
    max: Math.max(...values),
    better: 'lower',
    steps,
    times: steps.map(step => 100 + step),
    values
  };
}

describe('curves', () => {
  it('reads columns, also what JSON has no number for', () => {
    const metrics = [{ ...curve([1]), values: [1, 'NaN', '-Infinity'], better: 'unheard of' }];
    const [one] = curvesSchema.parse({ attempt: 1, metrics }).metrics;
    expect(one.values).toEqual([1, NaN, -Infinity]);
    expect(one.better).toBe('lower');
  });

  it('places values on an axis', () => {
    const one = curve([3, 2, 1], 5);
    expect(places(one, 'step', 0)).toEqual([5, 6, 7]);
    expect(places(one, 'time', 106)).toEqual([0, 0, 1]);
  });

  it('smooths without a pull to zero, and over what is no number', () => {
    expect(smoothed([1, 2], 0)).toEqual([1, 2]);
    expect(smoothed([4, NaN, 4], 0.9)).toEqual([4, null, 4]);
    expect(smoothed([0, 3], 0.5)).toEqual([0, 2]);
    expect(positive([1, 0, -1, null])).toEqual([1, null, null, null]);
  });

  it('is broken where output is missing, if the axis goes on there', () => {
    const one = curve([4, 3, 2, 1]); // at 100 s to 103 s
    expect(breaks(one, [101.0004, 101.9, 200], one.steps)).toEqual([0.5, 1.5]);
    expect(breaks(one, [50, 100], one.steps)).toEqual([]);
    expect(breaks(one, [102], [0, 1, 0, 1])).toEqual([]);
  });

  it('tells numbers and the best one', () => {
    expect([0.123456, 1e-5, NaN, 40].map(numeral)).toEqual(['0.1235', '0.00001', 'NaN', '40']);
    expect([123456, 0.123456].map(stepNumeral)).toEqual(['123456', '0.1235']);
    expect(best({ better: 'higher', min: 1, max: 2 })).toBe(2);
    expect(best({ better: 'lower', min: null, max: null })).toBeNull();
  });

  it('has ticks that differ', () => {
    expect(ticks([0, 0.1, 0.30000000000000004, null], 0.1)).toEqual(['0', '0.1', '0.3', '']);
    expect(ticks([0.61725, 0.61726], 0.00001)).toEqual(['0.61725', '0.61726']);
    expect(ticks([123450, 123452.5], 2.5)).toEqual(['123450', '123452.5']);
    expect(ticks([100000, 100500], 500)).toEqual(['100000', '100500']);
    expect(ticks([1e-7, 2e-7], 1e-7)).toEqual(['1e-7', '2e-7']);
  });

  it('knows the name of a task that has been deleted', () => {
    const tasks = new Map([[task.id, task]]);
    const changed = new Signal<unknown, void>({});
    const model = { changed, get: (id: string) => tasks.get(id) } as unknown as ITaskModel;
    const follower = new CurveFollower({ ids: [task.id, 'unknown'], model });
    expect(follower.name(task.id)).toBe(task.name);
    tasks.clear();
    expect(follower.name(task.id)).toBe(task.name);
    expect(follower.name('unknown')).toBe('unknown');
  });

  it('adds newer points once', () => {
    const longer = extended(curve([3, 2]), curve([2, 1], 1));
    expect(longer.steps).toEqual([0, 1, 2]);
    expect(longer.values).toEqual([3, 2, 1]);
    expect(extended(longer, curve([])).values).toEqual([3, 2, 1]);
  });

  it('draws a trend if there is one', () => {
    const one = { value: 1, step: 1, min: 1, max: 1, better: 'lower' as const, trend: [1] };
    expect(trendOf({})).toBeNull();
    expect(trendOf({ loss: one })).toBeNull();
    expect(trendOf({ loss: { ...one, trend: [2, 1] } })?.name).toBe('loss');
    expect(heights([2, null, 1])).toEqual([0, null, 1]);
    expect(heights([1, 1])).toEqual([0.5, 0.5]);
  });
});

describe('CurveFollower', () => {
  let known: ITask | undefined;
  let answers: ICurves[];
  const changed = new Signal<object, void>({});
  const metrics = jest.fn(async () => answers.shift() ?? { attempt: 1, gaps: [], metrics: [] });
  const model = {
    api: { metrics },
    get: () => known,
    changed,
    isReady: true,
    error: null
  } as unknown as ITaskModel;
  let follower: CurveFollower;
  const settle = () => jest.advanceTimersByTimeAsync(0);
  const moves = (value: number) => {
    known = { ...task, attempt: 1, metrics: { loss: { ...task.metrics.loss, value } } };
    changed.emit();
  };
  const loss = () => follower.get('a')?.metrics[0]?.values;

  beforeEach(() => {
    jest.useFakeTimers();
    metrics.mockClear();
    answers = [{ attempt: 1, gaps: [], metrics: [curve([3, 2])] }];
    follower = new CurveFollower({ ids: ['a'], model });
    moves(2);
  });

  afterEach(() => {
    follower.dispose();
    jest.useRealTimers();
  });

  it('asks for all points, then for newer ones, once a second', async () => {
    await settle();
    expect(metrics).not.toHaveBeenCalled();
    follower.isActive = true;
    await settle();
    expect(loss()).toEqual([3, 2]);
    changed.emit();
    await settle();
    expect(metrics).toHaveBeenCalledTimes(1);
    answers = [{ attempt: 1, gaps: [], metrics: [curve([1], 2)] }];
    moves(1);
    await settle();
    expect(metrics).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(1000);
    expect(metrics).toHaveBeenLastCalledWith(task.id, 4096, 101, { quiet: true });
    expect(loss()).toEqual([3, 2, 1]);
  });

  it('asks for all of a metric that is new, whose first points are older', async () => {
    follower.isActive = true;
    await settle();
    const whole = { attempt: 1, gaps: [], metrics: [curve([3, 2, 1]), curve([5, 6, 7], 0, 'acc')] };
    answers = [{ ...whole, metrics: [curve([1], 2), curve([7], 2, 'acc')] }, whole];
    moves(1);
    await jest.advanceTimersByTimeAsync(1000);
    expect(metrics).toHaveBeenLastCalledWith(task.id, 4096, null, { quiet: true });
    expect(follower.get('a')?.metrics[1].values).toEqual([5, 6, 7]);
  });

  it('keeps what it has when a request fails, and tries again', async () => {
    follower.isActive = true;
    await settle();
    metrics.mockRejectedValueOnce(new Error('away'));
    moves(1);
    await jest.advanceTimersByTimeAsync(1000);
    expect(follower.problem).toBe('away');
    expect(loss()).toEqual([3, 2]);
    answers = [{ attempt: 1, gaps: [], metrics: [curve([1], 2)] }];
    await jest.advanceTimersByTimeAsync(5000);
    expect(follower.problem).toBe('');
    expect(loss()).toEqual([3, 2, 1]);
  });
});
