/** The search in the whole output of a task: a field, how many lines match, and buttons that go from one to the next. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretUpIcon, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import { literally, type IFound, type OutputWindow } from '../../services/outputwindow';

interface ISearchProps {
  fieldRef: React.RefObject<HTMLInputElement>;
  output: OutputWindow;
  /** The line from which the next match is looked for. */
  current: number;
  onShow: (line: number) => void;
  /** Called with what is marked in the lines. */
  onPattern: (matcher: RegExp | null) => void;
  attempt: (what: () => Promise<void>) => Promise<void>;
  trans: TranslationBundle;
}

export function SearchField(props: ISearchProps): JSX.Element {
  const { fieldRef, output, current, onShow, onPattern, attempt, trans } = props;
  const [text, setText] = useState('');
  const [isRegex, setIsRegex] = useState(false);
  const [asked, setAsked] = useState('');
  const [found, setFound] = useState<IFound | null>(null);
  const [at, setAt] = useState(0);
  const pattern = isRegex ? text : literally(text);

  const show = (numbers: readonly number[], index: number) => {
    const next = (index + numbers.length) % numbers.length;
    setAt(next);
    onShow(numbers[next]);
  };
  const next = (step: 1 | -1) =>
    attempt(async () => {
      if (asked === pattern && found?.numbers.length) {
        show(found.numbers, at + step);
        return;
      }
      if (!text) {
        return;
      }
      const lines = await output.find(pattern);
      setAsked(pattern);
      setFound(lines);
      onPattern(asJavaScript(pattern));
      const following = lines.numbers.findIndex(number => number >= current);
      if (lines.numbers.length) {
        show(lines.numbers, step > 0 ? Math.max(0, following) : following - 1);
      }
    });
  const count = found && asked === pattern ? found.numbers.length : null;
  return (
    <>
      <input
        ref={fieldRef}
        type="search"
        className="jp-PtyTasks-whole-search jp-mod-styled"
        placeholder={trans.__('Search all output')}
        aria-label={trans.__('Search all output')}
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            void next(event.shiftKey ? -1 : 1);
          }
        }}
      />
      <label className="jp-PtyTasks-whole-regex" title={trans.__('Use a regular expression')}>
        <input
          type="checkbox"
          checked={isRegex}
          onChange={event => setIsRegex(event.target.checked)}
        />
        {trans.__('Regex')}
      </label>
      <ToolbarButtonComponent
        icon={caretUpIcon}
        tooltip={trans.__('Previous match')}
        onClick={() => void next(-1)}
      />
      <ToolbarButtonComponent
        icon={caretDownIcon}
        tooltip={trans.__('Next match')}
        onClick={() => void next(1)}
      />
      {count !== null && (
        <span className="jp-PtyTasks-whole-count" role="status">
          {count === 0
            ? trans.__('No match')
            : found?.more
              ? trans.__('%1 of more than %2', at + 1, count)
              : trans.__('%1 of %2', at + 1, count)}
        </span>
      )}
    </>
  );
}

/** Return the expression as one of the browser, for marking; null if it knows other ones. */
function asJavaScript(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, 'g');
  } catch {
    return null;
  }
}
