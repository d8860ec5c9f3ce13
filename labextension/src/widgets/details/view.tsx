/** What a task is: its command, facts, attempts, what differs from the run before, and notes. */

import { Clipboard } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import React, { useEffect, useId, useMemo, useState } from 'react';

import { bytes } from '../../format/measures';
import { reasonOf } from '../../format/why';
import { duration, elapsed, exitLabel, stateLabel } from '../../format/times';
import { TaskAbout, type IDetails, type IDifference } from '../../services/about';
import { commandLine, isEnded, LOCAL, type IGit, type ITask } from '../../services/types';
import { useSignalValue } from '../../services/watchedvalue';
import type { ITaskModel } from '../../tokens';
import { useNow } from '../hooks';
import { StateIcon } from '../state';
import { Attempts } from './attempts';
import { Difference } from './difference';
import { Notes } from './notes';

/** What can be done from here; without an action there is no button. */
export interface IDetailsActions {
  terminal?: () => void;
  editAgain?: () => void;
  rename?: () => void;
  editTags?: () => void;
  /** Show the details of another task. */
  open?: (id: string) => void;
}

export interface IDetailsProps {
  id: string;
  model: ITaskModel;
  actions: IDetailsActions;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

interface IFound {
  details: IDetails;
  difference: IDifference;
}

export function DetailsView(props: IDetailsProps): JSX.Element {
  const { id, model, trans } = props;
  const task = useSignalValue(model.changed, () => model.get(id));
  const isReady = useSignalValue(model.changed, () => model.isReady);
  if (!task) {
    return (
      <p role="status">
        {isReady ? trans.__('The task no longer exists on the server.') : trans.__('Loading…')}
      </p>
    );
  }
  return <TaskDetails {...props} task={task} />;
}

function TaskDetails(props: IDetailsProps & { task: ITask }): JSX.Element {
  const { task, model, actions, rendermime, trans } = props;
  const about = useMemo(() => new TaskAbout(model.api, task.id), [model, task.id]);
  const [found, setFound] = useState<IFound | null>(null);
  const [problem, setProblem] = useState('');
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    Promise.all([about.details(), about.difference()]).then(
      ([details, difference]) => {
        if (isCurrent) {
          setFound({ details, difference });
          setProblem('');
        }
      },
      error => isCurrent && setProblem(`${error.message}`)
    );
    return () => {
      isCurrent = false;
    };
    // What they tell changes with these alone.
  }, [about, task.state, task.attempt, task.name, task.group, task.tags.join(), tries]);
  const command = commandLine(task);
  return (
    <>
      <h2>
        <StateIcon state={task.state} trans={trans} /> {task.name}
      </h2>
      <div className="jp-PtyTasks-details-buttons">
        <Action label={trans.__('Open Terminal')} act={actions.terminal} />
        <Action label={trans.__('Edit and Run Again…')} act={actions.editAgain} />
        <Action label={trans.__('Rename…')} act={actions.rename} />
        <Action label={trans.__('Edit Tags…')} act={actions.editTags} />
      </div>
      {problem && (
        <p role="alert" className="jp-PtyTasks-refused">
          {problem}{' '}
          <button type="button" onClick={() => setTries(tries + 1)}>
            {trans.__('Try again')}
          </button>
        </p>
      )}
      <Section title={trans.__('Command')} copies={command} trans={trans}>
        <pre tabIndex={0} aria-label={trans.__('Command')}>
          {command}
        </pre>
      </Section>
      <Section title={trans.__('Facts')} trans={trans}>
        <Facts task={task} details={found?.details ?? null} trans={trans} />
      </Section>
      <Section title={trans.__('Notes')} trans={trans}>
        <Notes about={about} tag={task.notes} rendermime={rendermime} trans={trans} />
      </Section>
      {found ? (
        <>
          <Section title={trans.__('Run Before')} trans={trans}>
            <Difference difference={found.difference} open={actions.open} trans={trans} />
          </Section>
          {found.details.attempts.length > 1 && (
            <Section title={trans.__('Attempts')} trans={trans}>
              <Attempts attempts={found.details.attempts} trans={trans} />
            </Section>
          )}
        </>
      ) : (
        !problem && <p role="status">{trans.__('Loading…')}</p>
      )}
    </>
  );
}

function Action({ label, act }: { label: string; act?: () => void }): JSX.Element | null {
  return act ? (
    <button type="button" className="jp-mod-styled jp-mod-reject" onClick={act}>
      {label}
    </button>
  ) : null;
}

interface ISectionProps {
  title: string;
  /** The text that a button copies; without it there is no button. */
  copies?: string;
  trans: TranslationBundle;
  children: React.ReactNode;
}

function Section({ title, copies, trans, children }: ISectionProps): JSX.Element {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <div className="jp-PtyTasks-details-head">
        <h3 id={id}>{title}</h3>
        {copies !== undefined && (
          <ToolbarButtonComponent
            icon={copyIcon}
            tooltip={trans.__('Copy: %1', title)}
            onClick={() => Clipboard.copyToSystem(copies)}
          />
        )}
      </div>
      {children}
    </section>
  );
}

interface IFactsProps {
  task: ITask;
  /** What lists do not tell; null until it is known. */
  details: IDetails | null;
  trans: TranslationBundle;
}

function Facts({ task, details, trans }: IFactsProps): JSX.Element {
  const now = useNow(!isEnded(task));
  const params = Object.entries(task.params).map(([name, value]) => `${name}=${value}`);
  const exit = exitLabel(task, trans);
  const facts: [string, string | null | undefined][] = [
    [
      trans.__('State'),
      [stateLabel(task.state, trans), exit, reasonOf(task)].filter(Boolean).join(', ')
    ],
    [trans.__('ID'), task.id],
    [trans.__('Folder'), task.cwd],
    [trans.__('Git'), task.git && gitLabel(task.git, trans)],
    [trans.__('Parameters'), params.join(', ')],
    [trans.__('Environment'), details?.environment.join(', ')],
    [trans.__('Created'), moment(task.created)],
    [trans.__('Started'), task.started && moment(task.started)],
    [trans.__('Ended'), task.ended && moment(task.ended)],
    [trans.__('Duration'), task.started && duration(elapsed(task, now))],
    [trans.__('Attempt'), task.attempt > 1 ? `${task.attempt}` : ''],
    [trans.__('Time limit'), task.timeout === null ? '' : duration(task.timeout * 1000)],
    [trans.__('Stopped by'), details?.stop.map(one => stopLabel(one)).join(', ')],
    [trans.__('Group'), task.group],
    [trans.__('Sweep'), task.sweep?.name],
    [trans.__('Tags'), task.tags.join(', ')],
    [trans.__('Place'), task.place === LOCAL ? '' : task.place],
    [trans.__('Machine'), details?.host],
    [trans.__('Disk'), details && bytes(details.disk)],
    [trans.__('Output'), task.output.directory]
  ];
  return (
    <dl className="jp-PtyTasks-details-facts">
      {facts
        .filter(([, value]) => value)
        .map(([label, value]) => (
          <React.Fragment key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
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

function stopLabel({ signal, grace }: { signal: string; grace: number }): string {
  return grace > 0 ? `${signal} (${duration(grace * 1000)})` : signal;
}

function moment(iso: string): string {
  return new Date(iso).toLocaleString();
}
