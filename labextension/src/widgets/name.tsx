/** The name of a task, with an ellipsis in the middle if there is little space. */

import React from 'react';

/** The number of characters at the end that are cut off last, since names of runs differ there; half of a shorter name. */
const TAIL = 10;

interface ITaskNameProps {
  name: string;
  /** The part of the name to show; by default all of it. */
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
