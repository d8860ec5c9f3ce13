/** The details of a task: its command, facts, attempts, differences from the previous run, and notes. */

import { Clipboard } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import React, { useEffect, useId, useMemo, useRef, useState } from 'react';

import { TaskAbout, type IDetails, type IDifference } from '../../services/about';
import { commandLine, type ITask } from '../../services/types/tasks';
import { useSignalValue } from '../../services/watchedvalue';
import type { ITaskModel } from '../../tokens';
import { Stale } from '../panel/problems';
import { StateIcon } from '../state';
import { Attempts } from './attempts';
import { Difference } from './difference';
import { Facts } from './facts';
import { LabelFields } from './labels';
import { Notes } from './notes';

/** The actions of the buttons; without an action there is no button. */
export interface IDetailsActions {
  terminal?: () => void;
  editAgain?: () => void;
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
  const error = useSignalValue(model.changed, () => model.error);
  if (!task) {
    return (
      <p role="status">
        {isReady ? trans.__('The task no longer exists on the server.') : trans.__('Loading…')}
      </p>
    );
  }
  return (
    <>
      {error && <Stale error={error} trans={trans} onRetry={() => void model.refresh()} />}
      <TaskDetails {...props} task={task} />
    </>
  );
}

function TaskDetails(props: IDetailsProps & { task: ITask }): JSX.Element {
  const { task, model, actions, rendermime, trans } = props;
  const about = useMemo(() => new TaskAbout(model.api, task.id), [model, task.id]);
  const [found, setFound] = useState<IFound | null>(null);
  const [problem, setProblem] = useState('');
  const [tries, setTries] = useState(0);
  const [isEditing, setIsEditing] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
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
    // The details depend only on these.
  }, [about, task.state, task.attempt, task.name, task.group, task.tags.join(), tries]);
  const command = commandLine(task);
  return (
    <>
      <h2>
        <StateIcon state={task.state} trans={trans} />
        <span>{task.name}</span>
      </h2>
      <div className="jp-PtyTasks-details-buttons">
        <Action label={trans.__('Open Terminal')} act={actions.terminal} />
        <Action label={trans.__('Edit and Run Again…')} act={actions.editAgain} />
        <button
          ref={edit}
          type="button"
          className="jp-mod-styled jp-mod-reject"
          aria-expanded={isEditing}
          onClick={() => setIsEditing(!isEditing)}
        >
          {trans.__('Edit Name, Group and Tags')}
        </button>
      </div>
      {problem && (
        <p role="alert" className="jp-PtyTasks-refused">
          {problem}{' '}
          <button type="button" onClick={() => setTries(tries + 1)}>
            {trans.__('Try Again')}
          </button>
        </p>
      )}
      {isEditing && (
        <Section title={trans.__('Name, Group and Tags')} trans={trans}>
          <LabelFields
            task={task}
            model={model}
            onDone={() => {
              setIsEditing(false);
              edit.current?.focus();
            }}
            trans={trans}
          />
        </Section>
      )}
      <Section title={trans.__('Command')} copies={command} trans={trans}>
        <pre tabIndex={0} aria-label={trans.__('Command')}>
          {command}
        </pre>
      </Section>
      <Section title={trans.__('Overview')} trans={trans}>
        <Facts task={task} details={found?.details ?? null} trans={trans} />
      </Section>
      <Section title={trans.__('Notes')} trans={trans}>
        <Notes about={about} tag={task.notes} rendermime={rendermime} trans={trans} />
      </Section>
      {found ? (
        <>
          <Section title={trans.__('Previous Run')} trans={trans}>
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
