/** The facts about a task, as a list of terms. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { best } from '../../format/curves';
import { bytes } from '../../format/measures';
import { metricValue } from '../../format/numbers';
import { duration, elapsed, exitLabel, stateLabel } from '../../format/times';
import { warningText } from '../../format/warnings';
import { reasonOf } from '../../format/why';
import type { IDetails, IOrigin } from '../../services/about';
import { LOCAL } from '../../services/types/places';
import { isEnded } from '../../services/types/states';
import type { IGit, ITask } from '../../services/types/tasks';
import { useNow } from '../hooks';

interface IFactsProps {
  task: ITask;
  /** The details that the list of tasks lacks; null if unknown. */
  details: IDetails | null;
  trans: TranslationBundle;
}

export function Facts({ task, details, trans }: IFactsProps): JSX.Element {
  const now = useNow(!isEnded(task));
  const params = Object.entries(task.params).map(([name, value]) => `${name}=${value}`);
  const metadata = Object.entries(task.metadata).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`
  );
  const metrics = Object.entries(task.metrics).map(([name, metric]) => {
    const most = best(metric);
    const last = `${name} ${metricValue(metric.value)}`;
    return most === null ? last : trans.__('%1 (best %2)', last, metricValue(most));
  });
  const used = task.usage;
  const exit = exitLabel(task, trans);
  const facts: [string, string | null | undefined][] = [
    [
      trans.__('State'),
      [stateLabel(task.state, trans), exit, reasonOf(task)].filter(Boolean).join(', ')
    ],
    [trans.__('Warnings'), warningText(task, now)],
    [trans.__('ID'), task.id],
    [trans.__('Working directory'), task.cwd],
    [trans.__('Git'), task.git && gitLabel(task.git, trans)],
    [trans.__('Parameters'), params.join(', ')],
    [trans.__('Environment'), details?.environment.join(', ')],
    [trans.__('Created'), moment(task.created)],
    [trans.__('Started'), task.started && moment(task.started)],
    [trans.__('Ended'), task.ended && moment(task.ended)],
    [trans.__('Duration'), task.started && duration(elapsed(task, now))],
    [trans.__('Metrics'), metrics.join(', ')],
    [trans.__('CPU time'), used?.cpu_time ? duration(used.cpu_time * 1000) : ''],
    [trans.__('Peak memory'), used?.peak.rss ? bytes(used.peak.rss) : ''],
    [trans.__('Peak GPU memory'), used?.peak.gpu_memory ? bytes(used.peak.gpu_memory) : ''],
    [trans.__('Attempt'), task.attempt > 1 ? `${task.attempt}` : ''],
    [trans.__('Time limit'), task.timeout === null ? '' : duration(task.timeout * 1000)],
    [trans.__('Stop signals'), details?.stop.map(one => stopLabel(one)).join(', ')],
    [trans.__('Group'), task.group],
    [trans.__('Sweep'), task.sweep?.name],
    [trans.__('Tags'), task.tags.join(', ')],
    [trans.__('Pinned'), task.pinned ? trans.__('kept until you delete it') : ''],
    [trans.__('Metadata'), metadata.join(', ')],
    [trans.__('Place'), task.place === LOCAL ? '' : task.place],
    [trans.__('Machine'), details?.host],
    [trans.__('Imported'), details?.imported && originLabel(details.imported, trans)],
    [trans.__('Disk'), details && bytes(details.disk)],
    [trans.__('Output'), task.output.directory],
    [trans.__('Discarded output'), task.output.start > 0 ? bytes(task.output.start) : ''],
    [trans.__('Lost output'), task.output.lost > 0 ? bytes(task.output.lost) : '']
  ];
  return (
    <dl className="jp-PtyTasks-details-facts">
      {facts
        .filter(([, value]) => value)
        .map(([label, value]) => (
          <React.Fragment key={label}>
            <dt>{label}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </React.Fragment>
        ))}
    </dl>
  );
}

function gitLabel(git: IGit, trans: TranslationBundle): string {
  const commit = git.branch ? `${git.commit} (${git.branch})` : git.commit;
  if (git.dirty === null) {
    return commit;
  }
  return git.dirty
    ? trans.__('%1, with uncommitted changes', commit)
    : trans.__('%1, without changes', commit);
}

function originLabel({ id, host, exported }: IOrigin, trans: TranslationBundle): string {
  return trans.__('from %1, where it was task %2; exported %3', host, id, moment(exported));
}

function stopLabel({ signal, grace }: { signal: string; grace: number }): string {
  return grace > 0 ? `${signal} (${duration(grace * 1000)})` : signal;
}

function moment(iso: string): string {
  return new Date(iso).toLocaleString();
}
