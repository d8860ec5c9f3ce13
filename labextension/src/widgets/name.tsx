/** The name of a task, with an ellipsis in the middle if there is little space. */

import React from 'react';

/** The number of characters at the end that are cut off last, since names of runs differ there, if the name is twice as long. */
const TAIL = 10;
/** What a label begins with if the beginning of the name is left out. */
const ELLIPSIS = '…';

interface ITaskNameProps {
  name: string;
  /** The part of the name to show; by default all of it. */
  label?: string;
}

export function TaskName({ name, label = name }: ITaskNameProps): JSX.Element {
  const characters = [...label];
  const { length } = characters;
  const cut = length > 2 * TAIL ? length - TAIL : label.startsWith(ELLIPSIS) ? 1 : length;
  return (
    <span className="jp-PtyTasks-name" title={name}>
      <span>{characters.slice(0, cut).join('')}</span>
      {cut < length && <span>{characters.slice(cut).join('')}</span>}
    </span>
  );
}
