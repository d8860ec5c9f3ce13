import { nullTranslator } from '@jupyterlab/translation';

import { changesOf, labelsOf } from '../forms/labels';
import { taskSchema } from '../services/types/tasks';
import sample from '../../../tests/contract/task.json';

const trans = nullTranslator.load('jupyter_ptytasks');
const task = {
  ...taskSchema.parse(sample),
  name: 'train',
  group: 'gpu',
  tags: ['a', 'b'],
  pinned: false,
  metadata: {}
};
const labels = labelsOf(task);

describe('changesOf', () => {
  it('is empty if nothing was changed', () => {
    expect(changesOf(labels, task, trans)).toEqual({});
  });

  it('has what was changed, and nothing else', () => {
    const changed = {
      name: ' best ',
      group: 'cpu',
      tags: 'b, c,',
      pinned: true,
      metadata: '{"n": 1}'
    };
    expect(changesOf(changed, task, trans)).toEqual({
      name: 'best',
      group: 'cpu',
      add_tags: ['c'],
      remove_tags: ['a'],
      pinned: true,
      metadata: { n: 1 }
    });
    expect(changesOf({ ...labels, tags: '' }, task, trans)).toEqual({ remove_tags: ['a', 'b'] });
  });

  it('empties the metadata, and refuses what is no object', () => {
    const noted = { ...task, metadata: { n: 1 } };
    expect(changesOf({ ...labelsOf(noted), metadata: ' ' }, noted, trans)).toEqual({
      metadata: {}
    });
    for (const metadata of ['{', '7', '[]', 'null']) {
      expect(() => changesOf({ ...labels, metadata }, task, trans)).toThrow(
        expect.objectContaining({ field: 'metadata' })
      );
    }
  });
});
