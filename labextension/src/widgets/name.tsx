/** The name of a task, with an ellipsis in the middle where there is little room. */

import React from 'react';

/** Names of runs differ at their ends: so many characters there are never cut off, of names longer than twice as many. */
const TAIL = 10;

interface ITaskNameProps {
  name: string;
  /** What is shown of it; by default all. */
  label?: string;
}

export function TaskName({ name, label = name }: ITaskNameProps): JSX.Element {
  const cut = label.length > 2 * TAIL ? label.length - TAIL : label.length;
  return (
    <span className="jp-PtyTasks-name" title={name}>
      <span>{label.slice(0, cut)}</span>
      {cut < label.length && <span>{label.slice(cut)}</span>}
    </span>
  );
}
