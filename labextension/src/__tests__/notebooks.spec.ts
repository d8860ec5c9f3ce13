import { nullTranslator } from '@jupyterlab/translation';

import { TaskError } from '../services/api';
import { notebookForm, notebookRequest, type INotebookForm } from '../forms/notebooks';
import { AT_ONCE } from '../forms/start';
import { whereOf } from '../forms/where';

const trans = nullTranslator.load('jupyter_ptytasks');

function withCell(source: string | string[], tags?: string[]): object {
  const metadata = tags ? { tags } : {};
  return { cells: [{ cell_type: 'code', metadata, source }], nbformat: 4 };
}

describe('the form of a notebook', () => {
  const parameters = (source: string | string[]) =>
    notebookForm('a.ipynb', withCell(source, ['parameters'])).parameters.map(
      ({ name, value }) => `${name} ${value}`
    );

  it('proposes a copy beside it', () => {
    expect(notebookForm('runs/train.v2.ipynb', null)).toEqual({
      ...AT_ONCE,
      ...whereOf({}),
      output: 'train.v2.executed.ipynb',
      name: 'train.v2.ipynb',
      kernel: '',
      parameters: []
    });
  });

  it.each([
    ['lr = 1e-3', 'lr 1e-3'],
    ['lr: float = .5  # the rate', 'lr 0.5'],
    ['epochs = 1_000', 'epochs 1000'],
    ['offset = -3', 'offset -3'],
    ["data = 'train.csv'", 'data train.csv'],
    ['data = "it\'s # here"', "data it's # here"],
    ["version = '10'", 'version "10"'],
    ["nothing = 'None'", 'nothing "None"'],
    ['debug = False', 'debug False'],
    ['layers = [64, 32]', 'layers [64, 32]'],
    ['größe = 1', 'größe 1']
  ])('takes %s', (line, parameter) => {
    expect(parameters(line)).toEqual([parameter]);
  });

  it.each([
    'lr = 1 / 3',
    'x == 1',
    '    x = 1',
    '# x = 1',
    "path = 'a\\n'",
    "names = ['a']",
    'x = 1, 2',
    'x.y = 1',
    'x = 0x1F'
  ])('leaves %s to the notebook', line => {
    expect(parameters(line)).toEqual([]);
  });

  it('takes the last of several assignments, and lines that come as a list', () => {
    expect(parameters(['a = 1\n', 'b = 2\n', 'a = 3'])).toEqual(['a 3', 'b 2']);
  });

  it('knows nothing of cells without the tag', () => {
    expect(notebookForm('a.ipynb', withCell('a = 1')).parameters).toEqual([]);
    expect(notebookForm('a.ipynb', withCell('a = 1', ['hidden'])).parameters).toEqual([]);
  });
});

describe('the request of a notebook', () => {
  const EXECUTE = '"$PTYTASK_PYTHON" -m jupyter_ptytasks.execute';
  const given = [{ name: 'lr', value: '1e-3' }];
  const request = (changes: Partial<INotebookForm> = {}, path = 'runs/a.ipynb') =>
    notebookRequest(path, { ...notebookForm(path, null), ...changes }, given, trans);

  it('runs in its directory, and is named after it', () => {
    expect(request()).toEqual({
      command: `${EXECUTE} a.ipynb --output a.executed.ipynb`,
      name: 'a.ipynb',
      cwd: 'runs',
      if_exists: 'new'
    });
    expect(request({}, 'a.ipynb')).not.toHaveProperty('cwd');
  });

  it('quotes what a shell or the command would take for something else', () => {
    expect(request({ output: 'out put.ipynb' }, "it's.ipynb").command).toBe(
      `${EXECUTE} 'it'\\''s.ipynb' --output 'out put.ipynb'`
    );
    expect(request({ output: '-o.ipynb' }, '-a.ipynb').command).toBe(
      `${EXECUTE} ./-a.ipynb --output ./-o.ipynb`
    );
  });

  it('passes on what was changed', () => {
    const parameters = [
      { name: 'lr', value: '1e-3' },
      { name: ' epochs ', value: ' 10 ' },
      { name: '', value: '' },
      { name: 'data', value: '$HOME' },
      { name: 'low', value: '-1e-9' },
      { name: 'flag', value: '-x' }
    ];
    expect(request({ parameters, output: ' ', kernel: 'ir', name: 'sweep' })).toMatchObject({
      name: 'sweep',
      command: `${EXECUTE} a.ipynb --kernel ir -p epochs 10 -p data '$HOME' -p low ' -1e-9' -p flag '"-x"'`
    });
  });

  it.each([
    ['no name', [{ name: '', value: '1' }], 0],
    [
      'no name of a variable',
      [
        { name: 'a', value: '1' },
        { name: 'b-c', value: '1' }
      ],
      1
    ],
    [
      'the same name twice',
      [
        { name: 'a', value: '1' },
        { name: 'a', value: '2' }
      ],
      1
    ]
  ])('blames the row that has %s', (_, parameters, row) => {
    let error: unknown;
    try {
      request({ parameters });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TaskError);
    expect(error).toMatchObject({ field: `parameters.${row}` });
  });
});
