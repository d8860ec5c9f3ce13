/** The name of a task, with an ellipsis in the middle where there is little room. */

import React from 'react';

/** Names of runs differ at their ends: so many characters there are cut last, of shorter names half of them. */
const TAIL = 10;

interface ITaskNameProps {
  name: string;
  /** What is shown of it; by default all. */
  label?: string;
}

export function TaskName({ name, label = name }: ITaskNameProps): JSX.Element {
  const characters = [...label];
  const cut = characters.length - Math.min(TAIL, Math.floor(characters.length / 2));
  return (
    <span className="jp-PtyTasks-name" title={name}>
      <span>{characters.slice(0, cut).join('')}</span>
      <span>{characters.slice(cut).join('')}</span>
    </span>
  );
}
