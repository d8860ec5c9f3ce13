/** The tags of a task, as chips. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

/** The most tags that are shown where there is little space. */
const FEW = 2;

interface ITagsProps {
  tags: readonly string[];
  /** Called with a clicked tag. If given, only the first tags are shown, as buttons for the mouse; keyboard users can search. */
  onPick?: (tag: string) => void;
  trans: TranslationBundle;
}

export function Tags({ tags, onPick, trans }: ITagsProps): JSX.Element | null {
  if (tags.length === 0) {
    return null;
  }
  const shown = onPick ? tags.slice(0, FEW) : tags;
  const more = tags.slice(shown.length);
  return (
    <span className="jp-PtyTasks-tags">
      {shown.map(tag =>
        onPick ? (
          <button
            key={tag}
            type="button"
            tabIndex={-1}
            className="jp-PtyTasks-tag"
            title={trans.__('Show the tasks with the tag “%1”', tag)}
            onClick={event => {
              // With a modifier, the row is selected.
              if (!event.shiftKey && !event.ctrlKey && !event.metaKey) {
                event.stopPropagation();
                onPick(tag);
              }
            }}
          >
            {tag}
          </button>
        ) : (
          <span key={tag} className="jp-PtyTasks-tag">
            {tag}
          </span>
        )
      )}
      {more.length > 0 && (
        <span className="jp-mod-more" title={more.join(', ')}>
          {trans.__('+%1', more.length)}
        </span>
      )}
    </span>
  );
}
