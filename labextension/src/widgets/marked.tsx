/** A line of output with the matches of a search marked. */

import React from 'react';

interface IMarkedProps {
  text: string;
  /** The matches, as half-open ranges of characters (not UTF-16 code units). */
  spans: readonly (readonly [number, number])[];
  /** Receives the element of the first match. */
  markRef?: (mark: HTMLElement | null) => void;
}

export function Marked({ text, spans, markRef }: IMarkedProps): JSX.Element {
  if (spans.length === 0) {
    return <span>{text}</span>;
  }
  const characters = [...text];
  const parts: React.ReactNode[] = [];
  let end = 0;
  for (const [from, to] of spans) {
    parts.push(characters.slice(end, from).join(''));
    parts.push(
      <mark key={from} ref={end === 0 ? markRef : undefined}>
        {characters.slice(from, to).join('')}
      </mark>
    );
    end = to;
  }
  return (
    <span>
      {parts}
      {characters.slice(end).join('')}
    </span>
  );
}
