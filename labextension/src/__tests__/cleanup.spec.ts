import { nullTranslator } from '@jupyterlab/translation';

import { bestBy, bests, cleanUpQuery, sparedLabel, USUAL } from '../forms/cleanup';
import { cleanUp, cleanUpSchema, previewCleanUp } from '../services/cleanup';
import type { ITask } from '../services/types/tasks';
import sample from '../../../tests/contract/clean_up.json';

const trans = nullTranslator.load('');

describe('what is to be cleaned up', () => {
  it('is a query', () => {
    expect(cleanUpQuery(USUAL)).toEqual({ older_than: `${7 * 86400}` });
    const form = { age: '', end: 'wrong', group: 'a', tag: 'b', best: bestBy('lower', 'val:loss') };
    expect(cleanUpQuery(form)).toEqual({
      state: 'failed,timed_out,lost',
      group: 'a',
      tag: 'b',
      keep_best: 'val:loss',
      better: 'lower'
    });
  });

  it('has a best one by each metric, the likely choices first', () => {
    const value = { value: 1, step: 1, min: 1, max: 1, trend: [] };
    const loss = { ...value, better: 'lower' as const };
    const acc = { ...value, better: 'higher' as const };
    const tasks: Pick<ITask, 'metrics'>[] = [
      { metrics: { val_loss: loss, acc } },
      { metrics: { acc } }
    ];
    expect(bests(tasks)).toEqual([
      ['acc', 'higher'],
      ['val_loss', 'lower'],
      ['acc', 'lower'],
      ['val_loss', 'higher']
    ]);
  });

  it('says what stays', () => {
    const told = cleanUpSchema.parse(sample);
    expect(sparedLabel(told, trans)).toBe('1 running');
    const spared = { running: 0, pinned: 2, best: 1, of_a_later_version: 3 };
    expect(sparedLabel({ ...told, spared }, trans)).toBe('2 pinned · the best one');
  });

  it('is asked for, and deleted by the ids', async () => {
    const asked: unknown[] = [];
    const api = {
      cleanUp: (options: object) => {
        asked.push(options);
        return Promise.resolve(new Response(JSON.stringify(sample)));
      }
    };
    expect((await previewCleanUp(api, { keep: '1' })).size).toBe(sample.size);
    expect((await cleanUp(api, ['a', 'b'])).tasks).toHaveLength(1);
    expect(asked).toEqual([
      { query: { keep: '1' } },
      { method: 'POST', body: { tasks: ['a', 'b'] } }
    ]);
    const garbled = { cleanUp: () => Promise.resolve(new Response('<html>')) };
    await expect(previewCleanUp(garbled, {})).rejects.toMatchObject({ code: 'garbled' });
  });
});
