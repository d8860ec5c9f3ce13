/** The differences from another run: its values and the current ones; of the environment only names. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IDifference } from '../../services/about';

interface IDifferenceProps {
  difference: IDifference;
  /** Show the details of a task; without it there is no link. */
  open?: (id: string) => void;
  trans: TranslationBundle;
}

export function Difference({ difference, open, trans }: IDifferenceProps): JSX.Element {
  const { with: before, changes, environment } = difference;
  if (!before) {
    return <p>{trans.__('This is the first run with this name or command.')}</p>;
  }
  const names = [
    ...environment.removed.map(name => ({ name, text: trans.__('removed') })),
    ...environment.added.map(name => ({ name, text: trans.__('added') })),
    ...environment.changed.map(name => ({ name, text: trans.__('changed') }))
  ];
  const isSame = changes.length + names.length === 0;
  return (
    <>
      <p>
        {isSame ? trans.__('No differences from') : trans.__('Compared with')}{' '}
        {open ? (
          <button type="button" className="jp-PtyTasks-why" onClick={() => open(before.id)}>
            {before.name} ({before.id})
          </button>
        ) : (
          `${before.name} (${before.id})`
        )}
      </p>
      {!isSame && (
        <dl className="jp-PtyTasks-details-facts">
          {changes.map(({ field, before: old, after }) => (
            <React.Fragment key={field}>
              <dt>{field}</dt>
              <dd>
                {told(old) && <del>{told(old)}</del>}
                {told(after) && <ins>{told(after)}</ins>}
              </dd>
            </React.Fragment>
          ))}
          {names.map(({ name, text }) => (
            <React.Fragment key={name}>
              <dt>${name}</dt>
              <dd>{text}</dd>
            </React.Fragment>
          ))}
        </dl>
      )}
    </>
  );
}

/** Return a value as text, a list of strings on one line; empty if the value is missing. */
function told(value: unknown): string {
  return typeof value === 'string'
    ? value
    : Array.isArray(value) && value.every(one => typeof one === 'string')
      ? value.join(' ')
      : value === null || value === undefined
        ? ''
        : JSON.stringify(value);
}
