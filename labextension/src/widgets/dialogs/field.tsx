/** A labeled field of a dialog. */

import React, { useId } from 'react';

/** Connects a control with its label, hint and error for assistive technologies. */
export function Field(props: {
  label: string;
  hint?: string;
  error?: string;
  beside?: React.ReactNode;
  children: React.ReactElement;
}): React.JSX.Element {
  const id = useId();
  const { label, hint, error, beside } = props;
  const control = React.cloneElement(props.children, {
    id,
    'aria-describedby': error || hint ? `${id}-about` : undefined,
    'aria-invalid': error ? true : undefined
  });
  return (
    <div className="jp-PtyTasks-field">
      <label htmlFor={id}>{label}</label>
      <div className="jp-PtyTasks-control">
        {control}
        {beside}
      </div>
      {error ? (
        <div id={`${id}-about`} role="alert" className="jp-PtyTasks-error">
          {error}
        </div>
      ) : (
        hint && (
          <div id={`${id}-about`} className="jp-PtyTasks-hint">
            {hint}
          </div>
        )
      )}
    </div>
  );
}
