/** The search in the output of the runs in the table: the field, and the hits. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, InputGroup } from '@jupyterlab/ui-components';
import React, { useEffect, useId, useRef, useState } from 'react';

import type { IHits, IHow, IWanted, OutputSearch } from '../../services/outputsearch';
import { useSignalValue } from '../../services/watchedvalue';
import { Marked } from '../marked';
import { SearchHow } from '../searchhow';

interface ISearchFieldProps {
  search: OutputSearch;
  onStart: (wanted: IWanted) => void;
  trans: TranslationBundle;
}

/** Enter searches; Escape stops a search, and then closes it. */
export function SearchField({ search, onStart, trans }: ISearchFieldProps): JSX.Element {
  const [q, setQ] = useState('');
  const [how, setHow] = useState<IHow>({ isRegex: false, matchesCase: false });
  const id = useId();
  const state = useSignalValue(search.changed, () => search.state);
  const before = useRef(state);
  useEffect(() => {
    if (state === 'idle' && before.current !== 'idle') {
      // The element that had the focus may no longer exist.
      document.getElementById(id)?.focus();
    }
    before.current = state;
  }, [state, id]);
  return (
    <div className="jp-PtyTasks-runs-output">
      <InputGroup
        id={id}
        className="jp-PtyTasks-search"
        type="search"
        rightIcon="ui-components:search"
        aria-label={trans.__('Search the output of these runs')}
        title={trans.__('Search the output of these runs: press Enter')}
        placeholder={trans.__('Search output')}
        value={q}
        onChange={event => setQ(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && q) {
            onStart({ q, ...how });
          } else if (event.key === 'Escape') {
            event.preventDefault();
            leave(search);
          }
        }}
      />
      <SearchHow how={how} onChange={setHow} trans={trans} />
    </div>
  );
}

interface IFoundProps {
  search: OutputSearch;
  /** Show a line in the terminal of its task, with the same search. */
  onOpen: (id: string, line: number, wanted: IWanted | null) => void;
  trans: TranslationBundle;
}

/** The hits, which replace the table during a search. */
export function Found({ search, onOpen, trans }: IFoundProps): JSX.Element {
  const found = useSignalValue(search.changed, () => search.found);
  const state = useSignalValue(search.changed, () => search.state);
  const error = useSignalValue(search.changed, () => search.error);
  return (
    <div
      className="jp-PtyTasks-found"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          leave(search);
        }
      }}
    >
      <div className="jp-PtyTasks-found-head">
        <span role="status">{statusOf(search, trans)}</span>
        {state === 'searching' && (
          <button
            type="button"
            className="jp-mod-styled jp-PtyTasks-plain"
            onClick={() => search.stop()}
          >
            {trans.__('Stop')}
          </button>
        )}
        <button
          type="button"
          className="jp-PtyTasks-action"
          title={trans.__('Show the table again')}
          aria-label={trans.__('Show the table again')}
          onClick={() => search.close()}
        >
          <closeIcon.react tag="span" />
        </button>
      </div>
      {error && (
        <p role="alert" className="jp-PtyTasks-refused">
          {error.reason}
        </p>
      )}
      {found.map(one => (
        <OfTask key={one.id} found={one} wanted={search.wanted} onOpen={onOpen} trans={trans} />
      ))}
    </div>
  );
}

/** Stop a search in progress; close a finished one. */
function leave(search: OutputSearch): void {
  if (search.state === 'searching') {
    search.stop();
  } else {
    search.close();
  }
}

/** Return the progress of a search, or its result. */
function statusOf(search: OutputSearch, trans: TranslationBundle): string {
  const { found, state, summary, error } = search;
  if (error && found.length === 0) {
    return trans.__('The search failed.');
  }
  const count = found.reduce((sum, { hits }) => sum + hits.length, 0);
  const lines = trans._n('%1 line', '%1 lines', count);
  const what = trans._n('%2 in %1 task', '%2 in %1 tasks', found.length, lines);
  if (state === 'searching') {
    return count > 0 ? trans.__('Searching… %1', what) : trans.__('Searching…');
  }
  if (state === 'stopped') {
    return trans.__('Stopped. %1', what);
  }
  switch (summary?.reason) {
    case 'limit':
      return trans.__('The first %1. There are more.', what);
    case 'time':
      return trans.__('%1. The search timed out before it was complete.', what);
    case 'pattern':
      return `${what}. ${summary.message ?? ''}`;
    default:
      return count > 0 ? what : trans.__('No line matches.');
  }
}

interface IOfTaskProps extends Omit<IFoundProps, 'search'> {
  found: IHits;
  wanted: IWanted | null;
}

/** The hits in one task. Memoized: rendered again only if there are more. */
const OfTask = React.memo(function OfTask(props: IOfTaskProps): JSX.Element {
  const { found, wanted, onOpen, trans } = props;
  return (
    <section aria-label={found.name}>
      <h3>
        {found.name} <span>{trans._n('%1 line', '%1 lines', found.hits.length)}</span>
      </h3>
      <ul>
        {found.hits.map(hit => (
          <li key={hit.line}>
            <button
              type="button"
              title={trans.__('Show this line in the terminal')}
              onClick={() => onOpen(found.id, hit.line, wanted)}
            >
              <span className="jp-PtyTasks-found-number">{hit.line}</span>
              <Marked text={hit.text} spans={hit.spans} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
});
