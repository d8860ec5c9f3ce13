import { nullTranslator } from '@jupyterlab/translation';
import { PageConfig } from '@jupyterlab/coreutils';

import { fileRequest, textRequest } from '../forms/files';
import { notebookForm, notebookRequest } from '../forms/notebooks';
import { lineOf, quote, quoteFile, serverShell, type Shell } from '../forms/shells';

const trans = nullTranslator.load('jupyterlab');

describe('the shell of the server', () => {
  afterEach(() => {
    PageConfig.setOption('ptytasksShell', '');
  });

  it.each<[string, Shell]>([
    ['', 'sh'],
    ['sh', 'sh'],
    ['powershell', 'powershell'],
    ['cmd', 'cmd'],
    ['toString', 'sh']
  ])('is, if the page says %p, %s', (option, shell) => {
    PageConfig.setOption('ptytasksShell', option);
    expect(serverShell()).toBe(shell);
  });
});

describe('a word', () => {
  it.each([
    ['train.py', 'train.py'],
    ['my file.py', "'my file.py'"],
    ["it's.py", `'it'\\''s.py'`],
    ['$(reboot).py', "'$(reboot).py'"],
    ['', "''"]
  ])('%p is one for a POSIX shell', (text, word) => {
    expect(quote(text)).toBe(word);
  });

  it.each<[string, string, string, string]>([
    ['train.py', 'train.py', 'train.py', 'train.py'],
    ['C:\\a\\b.py', 'C:\\a\\b.py', 'C:\\a\\b.py', 'C:\\a\\b.py'],
    ['my file.py', '"my file.py"', "'my file.py'", "'my file.py'"],
    ["it's", `"it's"`, "'it''s'", "'it''s'"],
    ['a & $(b)', '"a & $(b)"', "'a & $(b)'", "'a & $(b)'"],
    ['print("a")', '"print(\\"a\\")"', `'print(\\"a\\")'`, `'print("a")'`],
    ['two "\\" ', '"two \\"\\\\\\" "', `'two \\"\\\\\\" '`, `'two "\\" '`],
    ['a b\\', '"a b\\\\"', "'a b\\\\'", "'a b\\'"],
    ['a&\\', '"a&\\\\"', "'a&\\'", "'a&\\'"],
    ['', '""', "''", "''"]
  ])('%p is one for cmd, Windows PowerShell and pwsh', (text, cmd, powershell, pwsh) => {
    expect(quote(text, 'cmd')).toBe(cmd);
    expect(quote(text, 'powershell')).toBe(powershell);
    expect(quote(text, 'pwsh')).toBe(pwsh);
  });
});

describe('a command', () => {
  it.each<[Shell, string]>([
    ['sh', `'my python' -c 'print(1)'`],
    ['cmd', '"my python" -c "print(1)"'],
    ['powershell', `& 'my python' -c 'print(1)'`]
  ])('is a line for %s: %s', (shell, line) => {
    expect(lineOf(['my python', '-c', 'print(1)'], shell)).toBe(line);
  });
});

describe('a file', () => {
  const runners = { '.py': 'python {file}', '.ipynb': '{python} -m x {file}' };

  it.each<[Shell, string, string]>([
    ['sh', '-c.py', './-c.py'],
    ['sh', 'a.py', 'a.py'],
    ['cmd', '-c.py', '.\\-c.py'],
    ['cmd', 'a b.py', '"a b.py"'],
    ['powershell', 'a.py', './a.py'],
    ['pwsh', '-a b.py', "'./-a b.py'"]
  ])('is for %s, called %s, no option', (shell, name, word) => {
    expect(quoteFile(name, shell)).toBe(word);
  });

  it.each<[Shell, string, string | null]>([
    ['sh', 'd/x.py', 'python x.py'],
    ['sh', 'x.ps1', null],
    ['sh', 'x.ipynb', '"$PTYTASK_PYTHON" -m x x.ipynb'],
    ['cmd', 'my d/my x.py', 'python "my x.py"'],
    ['cmd', 'x.ipynb', '"%PTYTASK_PYTHON%" -m x x.ipynb'],
    ['cmd', 'my x.bat', '"my x.bat"'],
    ['cmd', 'x.ps1', 'powershell -NoLogo -NoProfile -File x.ps1'],
    ['powershell', 'my x.py', "python './my x.py'"],
    ['powershell', 'x.cmd', '& ./x.cmd'],
    ['powershell', 'my x.ps1', "& './my x.ps1'"],
    ['pwsh', 'x.ipynb', '& $env:PTYTASK_PYTHON -m x ./x.ipynb']
  ])('is run by %s: %s', (shell, path, command) => {
    expect(fileRequest(path, runners, shell)?.command ?? null).toBe(command);
  });

  it('is run as the settings say, whatever is usual', () => {
    expect(fileRequest('x.bat', { '.bat': 'wine {file}' }, 'cmd')?.command).toBe('wine x.bat');
    expect(fileRequest('x.bat', { '.bat': '' }, 'cmd')).toBeNull();
  });

  it('is run in the directory that the file browser shows', () => {
    expect(fileRequest('my d/x.py', runners, 'powershell')?.cwd).toBe('my d');
  });
});

describe('a notebook', () => {
  it('is run by PowerShell', () => {
    const form = { ...notebookForm('d/a b.ipynb', null), output: 'out.ipynb' };
    const parameters = [{ name: 'x', value: '"1"' }];
    const { command } = notebookRequest(
      'd/a b.ipynb',
      { ...form, parameters },
      [],
      trans,
      [],
      'powershell'
    );
    expect(command).toBe(
      `& $env:PTYTASK_PYTHON -m jupyter_ptytasks.execute './a b.ipynb' --output ./out.ipynb -p x '\\"1\\"'`
    );
  });
});

describe('text', () => {
  const runners = { '.py': 'python -c {text}' };
  const text = 'if 1:\n  print("%PATH%")';

  it('is quoted for PowerShell, with its line breaks', () => {
    expect(textRequest(text, 'x.py', runners, 'powershell')?.command).toBe(
      `python -c 'if 1:\n  print(\\"%PATH%\\")'`
    );
  });

  it('does not go through cmd, which could not take it', () => {
    expect(textRequest(text, 'x.py', runners, 'cmd')?.command).toEqual(['python', '-c', text]);
  });
});
