/** The search in the whole output of a task: a field, the number of matching lines, and buttons to go through them. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretUpIcon, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import React, { useCallback, useEffect, useRef, useState } from 'react';

import { nextHit, type IWanted, type OutputSearch } from '../../services/outputsearch';
import { useSignalValue } from '../../services/watchedvalue';
import { SearchHow } from '../searchhow';

/** The most lines that a search finds. */
const MOST = 1000;

interface ISearchProps {
  fieldRef: React.RefObject<HTMLInputElement>;
  search: OutputSearch;
  /** The id of the task. */
  id: string;
  /** The initial search, if any, and the line to start from. */
  wanted?: IWanted;
  line?: number;
  /** The line from which a new search goes to the next match. */
  current: number;
  /** Whether there may be new output since the search. */
  isLive: boolean;
  onShow: (line: number) => void;
  trans: TranslationBundle;
}

export function SearchField(props: ISearchProps): JSX.Element {
  const { fieldRef, search, id, current, isLive, onShow, trans } = props;
  const [sought, setSought] = useState<IWanted>(
    props.wanted ?? { q: '', isRegex: false, matchesCase: false }
  );
  const hits = useSignalValue(search.changed, () => search.found)[0]?.hits;
  const state = useSignalValue(search.changed, () => search.state);
  const [at, setAt] = useState(0);
  // Where to go once there are hits.
  const goal = useRef<{ from: number; step: 1 | -1 } | null>(null);

  const start = useCallback(
    (wanted: IWanted, from: number, step: 1 | -1) => {
      goal.current = { from, step };
      void search.start(wanted, { tasks: id }, MOST);
    },
    [search, id]
  );

  useEffect(() => {
    if (props.wanted) {
      setSought(props.wanted);
      start(props.wanted, props.line ?? 0, 1);
    }
  }, [props.wanted, props.line, start]);

  useEffect(() => {
    if (goal.current && hits) {
      const { from, step } = goal.current;
      const index = nextHit(hits, from, step, state !== 'searching');
      if (index !== null) {
        goal.current = null;
        setAt(index);
        onShow(hits[index].line);
      }
    }
  }, [hits, state, onShow]);

  const isAsked = isSame(search.wanted, sought);
  const next = (step: 1 | -1) => {
    if (!sought.q) {
      return;
    }
    if (!isAsked) {
      start(sought, current, step);
    } else if (hits) {
      const index = at + step;
      if (index === hits.length && isLive && state !== 'searching') {
        // There may be new hits by now.
        start(sought, hits[at].line + 1, 1);
        return;
      }
      const around = (index + hits.length) % hits.length;
      setAt(around);
      onShow(hits[around].line);
    }
  };

  return (
    <>
      <input
        ref={fieldRef}
        type="search"
        className="jp-PtyTasks-whole-search jp-mod-styled"
        placeholder={trans.__('Search all output')}
        aria-label={trans.__('Search all output')}
        value={sought.q}
        onChange={event => setSought({ ...sought, q: event.target.value })}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            next(event.shiftKey ? -1 : 1);
          }
        }}
      />
      <SearchHow how={sought} onChange={how => setSought({ ...sought, ...how })} trans={trans} />
      <ToolbarButtonComponent
        icon={caretUpIcon}
        tooltip={trans.__('Previous match')}
        onClick={() => next(-1)}
      />
      <ToolbarButtonComponent
        icon={caretDownIcon}
        tooltip={trans.__('Next match')}
        onClick={() => next(1)}
      />
      {isAsked && (
        <span className="jp-PtyTasks-whole-count" role="status">
          {statusOf(search, hits?.length ?? 0, at, trans)}
        </span>
      )}
    </>
  );
}

/** Return the position among the matches, or why there is none. */
function statusOf(
  search: OutputSearch,
  count: number,
  at: number,
  trans: TranslationBundle
): string {
  const [place, all] = [(at + 1).toLocaleString(), count.toLocaleString()];
  if (search.state === 'searching') {
    return count > 0 ? trans.__('Searching… %1', all) : trans.__('Searching…');
  }
  if (count === 0) {
    return search.error || search.state === 'stopped' ? '' : trans.__('No match');
  }
  return search.summary?.reason === null
    ? trans.__('%1 of %2', place, all)
    : trans.__('%1 of more than %2', place, all);
}

function isSame(one: IWanted | null, other: IWanted): boolean {
  return (
    one !== null &&
    one.q === other.q &&
    one.isRegex === other.isRegex &&
    one.matchesCase === other.matchesCase
  );
}
