/** Turns files and selected text into task requests. Pure. */

import { PathExt } from '@jupyterlab/coreutils';

import type { ITaskRequest } from '../services/types/requests';
import { PYTHON, quote, quoteFile, RUNNERS, type Shell } from './shells';

/**
 * Commands by file extension. `{file}` or `{text}` is replaced with the file name or the text, quoted for the shell; for files,
 * `{python}` is replaced with the server's Python.
 */
export type IRunners = Readonly<Record<string, string>>;

/** Return a directory of the file browser as a working directory. */
export function directoryOf(path: string): string {
  // The server expands a leading tilde to a home directory.
  return path.startsWith('~') ? `./${path}` : path;
}

/** Return the request that runs a file, given its path below the server root; null if its extension has no runner. */
export function fileRequest(
  path: string,
  runners: IRunners,
  shell: Shell = 'sh'
): ITaskRequest | null {
  const runner = { ...RUNNERS[shell], ...runners }[PathExt.extname(path)];
  if (!runner) {
    return null;
  }
  const name = PathExt.basename(path);
  const command = fill(fill(runner, 'python', PYTHON[shell]), 'file', quoteFile(name, shell));
  return { command, name, ...inDirectoryOf(path), if_exists: 'new' };
}

/**
 * Return the request that runs text of a file: with the runner of its extension, or else with the shell. Null if the text is
 * blank.
 */
export function textRequest(
  text: string,
  path: string,
  runners: IRunners,
  shell: Shell = 'sh'
): ITaskRequest | null {
  const lines = dedent(text);
  if (!lines) {
    return null;
  }
  const runner = runners[PathExt.extname(path)];
  if (!runner) {
    return { command: lines, ...inDirectoryOf(path), if_exists: 'new' };
  }
  const name = `${PathExt.basename(path)}: ${lines.split('\n')[0].trim()}`;
  return {
    // cmd.exe cannot take line breaks in a command line: pass the text to the program directly.
    command:
      shell === 'cmd'
        ? runner.split(/\s+/).map(word => fill(word, 'text', lines))
        : fill(runner, 'text', quote(lines, shell)),
    name: [...name.replace(/\s+/g, ' ')].slice(0, 40).join(''),
    ...inDirectoryOf(path),
    if_exists: 'new'
  };
}

function inDirectoryOf(path: string): Pick<ITaskRequest, 'cwd'> {
  const directory = PathExt.dirname(path);
  return directory ? { cwd: directoryOf(directory) } : {};
}

function fill(runner: string, place: 'file' | 'text' | 'python', content: string): string {
  return runner.split(`{${place}}`).join(content);
}

/** Return the lines without their common indentation, and without blank lines before and after. */
function dedent(text: string): string {
  const lines = text
    .replace(/\r\n?/g, '\n')
    .replace(/^(\s*\n)+/, '')
    .trimEnd()
    .split('\n');
  const margins = lines.filter(line => line.trim()).map(line => /^[ \t]*/.exec(line)?.[0] ?? '');
  let margin = margins[0] ?? '';
  while (!margins.every(one => one.startsWith(margin))) {
    margin = margin.slice(0, -1);
  }
  return lines.map(line => (line.startsWith(margin) ? line.slice(margin.length) : '')).join('\n');
}
