/** A window of consecutive lines of a task's stored output, which can grow at both ends. */

import { Signal, type ISignal } from '@lumino/signaling';

import type { TaskApi } from './api';
import type { IOutput } from './types/output';

/** Lines of one request. */
const PAGE = 500;

/** Matches the first line about an error. */
const ERROR =
  '(?i)\\b(error|exception|traceback|fatal|panic|segmentation fault|out of memory)\\b|Error\\b';

/** A line. Its number is the number of line feeds before it, so numbers may be missing. */
export interface ILine {
  readonly number: number;
  readonly text: string;
  /** When it was written, in ISO 8601; null if unknown. */
  readonly time: string | null;
}

/** The methods reject with a TaskError. Calls are run one after the other. */
export class OutputWindow {
  constructor(
    private readonly _id: string,
    private readonly _api: Pick<TaskApi, 'lines'>
  ) {}

  /** The lines of the window; a new array after each change. */
  get lines(): readonly ILine[] {
    return this._lines;
  }

  /** The number of the last line of the output, plus one. */
  get total(): number {
    return this._total;
  }

  /** Whether there may be lines before the window, and after it: there always may be if the task runs. */
  get hasEarlier(): boolean {
    return this._hasEarlier;
  }

  get hasLater(): boolean {
    return this._hasLater;
  }

  /** Whether the output may still grow. */
  get isLive(): boolean {
    return this._isLive;
  }

  /** The number of discarded lines, if the window begins at the oldest stored line; otherwise 0. */
  get discarded(): number {
    return this._isFirst ? (this._lines[0]?.number ?? 0) : 0;
  }

  /** Emitted when any of the above has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Move the window to the end of the output. */
  toEnd(): Promise<void> {
    return this._queue(async () => {
      const page = await this._read({ mode: 'tail', tail_lines: `${PAGE}` });
      this._hasEarlier = (page.lines[0]?.number ?? 0) > 0;
      this._hasLater = page.more;
      this._isFirst = false;
      this._replace(page.lines, page.next);
    });
  }

  /** Move the window to a line, unless it is in it. */
  to(line: number): Promise<void> {
    return this._queue(async () => {
      const [first, last] = [this._lines[0], this._lines[this._lines.length - 1]];
      if (first && first.number <= line && line <= last.number) {
        return;
      }
      const since = Math.max(0, line - PAGE / 2);
      const page = await this._read({ since: `${since}`, max_lines: `${PAGE}` });
      this._hasEarlier = since > 0 && !page.isFirst;
      this._isFirst = page.isFirst;
      this._hasLater = page.more;
      this._replace(page.lines, page.next);
    });
  }

  /** Add lines before the window. */
  earlier(): Promise<void> {
    return this._queue(async () => {
      const end = this._lines[0]?.number ?? 0;
      const found: ILine[] = [];
      let begin = end;
      // Many numbers may be missing where lines were overwritten.
      while (this._hasEarlier && !found.length) {
        begin = Math.max(0, begin - PAGE);
        let since = begin;
        let isFirst = begin === 0;
        while (since < end) {
          const page = await this._read({ since: `${since}`, max_lines: `${PAGE}` });
          found.push(...page.lines.filter(({ number }) => number < end));
          this._isFirst ||= page.isFirst;
          isFirst ||= page.isFirst;
          if (!page.more || page.next <= since) {
            break;
          }
          since = page.next;
        }
        this._hasEarlier = !isFirst;
      }
      this._lines = [...found, ...this._lines];
      this._changed.emit();
    });
  }

  /** Add lines after the window. Replace those at its end that have changed. */
  later(): Promise<void> {
    return this._queue(async () => {
      const page = await this._read({ since: `${this._next}`, max_lines: `${PAGE}` });
      const begin = page.lines[0]?.number ?? Infinity;
      this._hasLater = page.more;
      this._next = page.next;
      this._lines = [...this._lines.filter(({ number }) => number < begin), ...page.lines];
      this._changed.emit();
    });
  }

  /** Return the number of the first line about an error; null if there is none. */
  async firstError(): Promise<number | null> {
    const { line_numbers } = await this._api.lines(this._id, { grep: ERROR, max_lines: '1' });
    return line_numbers?.[0] ?? null;
  }

  private _replace(lines: readonly ILine[], next: number): void {
    this._lines = lines;
    this._next = next;
    this._changed.emit();
  }

  private async _read(query: Record<string, string>): Promise<IPage> {
    const output = await this._api.lines(this._id, query);
    this._total = output.total_lines;
    this._isLive = !output.ended;
    return {
      lines: linesOf(output),
      next: output.next_line,
      more: (output.more ?? false) || !output.ended,
      isFirst: query.mode !== 'tail' && (output.lines_omitted ?? 0) > 0
    };
  }

  private _queue(task: () => Promise<void>): Promise<void> {
    const done = this._last.then(task);
    this._last = done.catch(() => undefined);
    return done;
  }

  private readonly _changed = new Signal<this, void>(this);
  private _last: Promise<void> = Promise.resolve();
  private _lines: readonly ILine[] = [];
  private _next = 0;
  private _total = 0;
  private _hasEarlier = false;
  private _hasLater = false;
  private _isFirst = false;
  private _isLive = true;
}

/** Lines of a response, the number to continue from, whether there are more, and whether earlier ones were discarded. */
interface IPage {
  lines: readonly ILine[];
  next: number;
  more: boolean;
  isFirst: boolean;
}

function linesOf(output: IOutput): ILine[] {
  const texts = output.output.split('\n');
  return (output.line_numbers ?? []).map((number, at) => ({
    number,
    text: texts[at] ?? '',
    time: output.times?.[at] ?? null
  }));
}
