import { nullTranslator } from '@jupyterlab/translation';

import { TaskError } from '../services/api';
import { directoryOf, fileRequest, textRequest } from '../forms/files';
import {
  durationText,
  formOf,
  parseDuration,
  parseEnvironment,
  requestOf
} from '../forms/requests';
import { parseTags } from '../forms/tags';

const trans = nullTranslator.load('jupyter_ptytasks');

function blamed(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof TaskError ? error.field : 'no TaskError';
  }
  return undefined;
}

describe('the form', () => {
  it('says nothing of what is left empty', () => {
    const form = { ...formOf(), command: '  make all \n' };
    expect(requestOf(form, trans)).toEqual({ command: 'make all', if_exists: 'new' });
  });

  it('says all that is filled in, and is filled in with it again', () => {
    const request = {
      command: 'python train.py',
      name: 'train',
      cwd: 'runs',
      env: { SEED: '1', EMPTY: '', URL: 'a=b' },
      group: 'gpu',
      tags: ['a', 'b'],
      timeout: 5400,
      if_exists: 'fail' as const
    };
    expect(requestOf(formOf(request), trans)).toEqual(request);
  });

  it('says what the task waits for, and is filled in with it again', () => {
    const request = {
      command: 'make',
      after: ['prepare', { ref: 'a:b', when: 'failed' as const }],
      not_before: '2026-11-21T22:00:00.000Z',
      gpus: 0.5,
      retry: { max: 2 },
      hold: true,
      if_exists: 'new' as const
    };
    expect(requestOf(formOf(request), trans)).toEqual(request);
    const queued = { command: 'make', group: 'gpu', if_exists: 'new' as const };
    expect(formOf(queued, ['gpu'])).toMatchObject({ start: 'in:gpu', group: '' });
    expect(requestOf(formOf(queued, ['gpu']), trans)).toEqual(queued);
  });

  it.each([
    ['not_before', { not_before: 'tomorrow' }],
    ['retry', { retry: '-1' }],
    ['gpus', { start: 'held', gpus: 'one' }],
    ['gpus', { start: 'held', gpus: '1.5' }],
    ['gpus', { start: 'held', gpus: '-1' }],
    ['newGroup', { start: 'new', newGroup: ' ' }],
    ['slots', { start: 'new', newGroup: 'night', slots: '0' }]
  ])('blames %s', (field, values) => {
    const form = { ...formOf({ command: 'make' }), ...values };
    expect(blamed(() => requestOf(form, trans))).toBe(field);
  });

  it('shows arguments as a line for the shell', () => {
    expect(formOf({ command: ['echo', "it's", 'a b'] }).command).toBe(`echo 'it'\\''s' 'a b'`);
  });

  it.each([
    ['command', { command: ' ' }],
    ['env', { command: 'x', env: 'A=1\nB' }],
    ['timeout', { command: 'x', timeout: 'soon' }],
    ['timeout', { command: 'x', timeout: '0' }]
  ])('blames %s', (field, fields) => {
    expect(blamed(() => requestOf({ ...formOf(), ...fields }, trans))).toBe(field);
  });

  it('reads variables by line, and leaves their values as they are', () => {
    const text = 'A=1\r\n\n# no\n  B = two "words" \nC=';
    expect(blamed(() => parseEnvironment(text, trans))).toBe('env');
    expect(parseEnvironment(text.replace('B =', 'B='), trans)).toEqual({
      A: '1',
      B: ' two "words" ',
      C: ''
    });
  });

  it('reads tags, each once', () => {
    expect(parseTags(' gpu, night,, gpu ')).toEqual(['gpu', 'night']);
  });

  it.each([1, 90, 5400, 86_400, 187_201])('writes %d seconds so that they can be read', seconds => {
    expect(parseDuration(durationText(seconds))).toBe(seconds);
  });
});

describe('a directory', () => {
  it('is never taken for a home', () => {
    expect(directoryOf('~ada/x')).toBe('./~ada/x');
    expect(directoryOf('ada')).toBe('ada');
  });
});

describe('a file', () => {
  const runners = { '.py': 'python {file}', '.sh': 'bash {file} && echo {file}' };

  it('runs in its directory, under its name', () => {
    expect(fileRequest('a dir/my file.py', runners)).toEqual({
      command: "python 'my file.py'",
      name: 'my file.py',
      cwd: 'a dir',
      if_exists: 'new'
    });
  });

  it('is put wherever the runner wants it, as it is', () => {
    const request = fileRequest('$&.sh', runners);
    expect(request?.command).toBe("bash '$&.sh' && echo '$&.sh'");
    expect(request).not.toHaveProperty('cwd');
  });

  it('is never an option', () => {
    expect(fileRequest('-c.py', runners)?.command).toBe('python ./-c.py');
  });

  it('needs a runner', () => {
    expect(fileRequest('notes.txt', runners)).toBeNull();
    expect(fileRequest('Makefile', runners)).toBeNull();
  });
});

describe('text', () => {
  const runners = { '.py': 'python -c {text}' };

  it('is run by the runner of its file, without the margin', () => {
    const text = '\n    if True:\n        print("a")\n\n    print(2)\n';
    expect(textRequest(text, 'src/x.py', runners)).toEqual({
      command: `python -c 'if True:\n    print("a")\n\nprint(2)'`,
      name: 'x.py: if True:',
      cwd: 'src',
      if_exists: 'new'
    });
  });

  it('is run by the shell where there is no runner', () => {
    expect(textRequest('  make all\n', 'README.md', runners)).toEqual({
      command: 'make all',
      if_exists: 'new'
    });
  });

  it('is nothing when it is blank', () => {
    expect(textRequest(' \n\t\n', 'x.py', runners)).toBeNull();
  });
});
