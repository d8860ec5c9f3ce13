/** The attempts of a task with their ends, the last one first. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { duration, stateLabel } from '../../format/times';
import type { IAttempt } from '../../services/about';
import { StateIcon } from '../state';

interface IAttemptsProps {
  attempts: readonly IAttempt[];
  trans: TranslationBundle;
}

export function Attempts({ attempts, trans }: IAttemptsProps): JSX.Element {
  return (
    <div
      className="jp-PtyTasks-details-wide"
      tabIndex={0}
      role="region"
      aria-label={trans.__('Attempts')}
    >
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Attempt')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Started')}</th>
            <th scope="col">{trans.__('Duration')}</th>
            <th scope="col">{trans.__('Commit')}</th>
            <th scope="col">{trans.__('Reason')}</th>
          </tr>
        </thead>
        <tbody>
          {[...attempts].reverse().map(one => (
            <tr key={one.attempt}>
              <td>{one.attempt}</td>
              <td>
                <StateIcon state={one.state} trans={trans} /> {stateLabel(one.state, trans)}
              </td>
              <td>{one.started && new Date(one.started).toLocaleString()}</td>
              <td>{one.started && one.ended && span(one.started, one.ended)}</td>
              <td>
                <code>{one.git?.commit.slice(0, 7)}</code>
              </td>
              <td>{one.state_message || one.state_reason.replace(/_/g, ' ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function span(started: string, ended: string): string {
  return duration(Date.parse(ended) - Date.parse(started));
}
