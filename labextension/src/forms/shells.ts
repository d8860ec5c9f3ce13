/** Quotes words for the server's shell: a POSIX shell, PowerShell or cmd.exe. */

import { PageConfig } from '@jupyterlab/coreutils';

/** The shell language of command lines. `powershell` is Windows PowerShell; all shells other than those of Windows are `sh`. */
export type Shell = 'sh' | 'cmd' | 'powershell' | 'pwsh';

/** The Python of the server, which has jupyter_ptytasks, as a command. */
export const PYTHON: Readonly<Record<Shell, string>> = {
  sh: '"$PTYTASK_PYTHON"',
  cmd: '"%PTYTASK_PYTHON%"',
  powershell: '& $env:PTYTASK_PYTHON',
  pwsh: '& $env:PTYTASK_PYTHON'
};

/** Files that PowerShell runs itself. For its own scripts, that depends on its execution policy. */
const POWERSHELL = { '.ps1': '& {file}', '.bat': '& {file}', '.cmd': '& {file}' };

/** The default commands for files that only the shells of Windows can run. */
export const RUNNERS: Readonly<Record<Shell, Readonly<Record<string, string>>>> = {
  sh: {},
  cmd: {
    '.ps1': 'powershell -NoLogo -NoProfile -File {file}',
    '.bat': '{file}',
    '.cmd': '{file}'
  },
  powershell: POWERSHELL,
  pwsh: POWERSHELL
};

/** Return the shell of the server of this page. */
export function serverShell(): Shell {
  const name = PageConfig.getOption('ptytasksShell');
  return isShell(name) ? name : 'sh';
}

function isShell(name: string): name is Shell {
  return Object.keys(PYTHON).includes(name);
}

/** Return one argument, quoted for a shell. cmd.exe takes no line breaks, and has no quotes for `%`. */
export function quote(text: string, shell: Shell = 'sh'): string {
  if (shell === 'sh') {
    return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
  }
  if (/^[\w+:./\\-]+$/.test(text)) {
    return text;
  }
  if (shell === 'cmd') {
    return `"${escaped(text, true)}"`;
  }
  // Windows PowerShell quotes an argument with spaces for programs, but escapes nothing in it.
  const word = shell === 'powershell' ? escaped(text, /\s/.test(text)) : text;
  return `'${word.replace(/'/g, "''")}'`;
}

/** Return a program and its arguments as a line for a shell, by default that of the server. */
export function lineOf(words: readonly string[], shell: Shell = serverShell()): string {
  const line = words.map(word => quote(word, shell)).join(' ');
  // PowerShell takes a quoted word for text, not for a program.
  return shell.startsWith('p') && line.startsWith("'") ? `& ${line}` : line;
}

/** Return the name of a file in the working directory, quoted for a shell. */
export function quoteFile(name: string, shell: Shell = 'sh'): string {
  // A leading dash would be read as an option, and PowerShell does not run a program in the current directory by its bare name.
  const isBare = shell === 'sh' || shell === 'cmd' ? !name.startsWith('-') : false;
  return quote(isBare ? name : shell === 'cmd' ? `.\\${name}` : `./${name}`, shell);
}

/** Escape `"`, and backslashes before one, for Microsoft's C library; with `ends`, a `"` follows the text. */
function escaped(text: string, ends: boolean): string {
  const inner = text.replace(/(\\*)"/g, '$1$1\\"');
  return ends ? inner.replace(/\\+$/, '$&$&') : inner;
}
