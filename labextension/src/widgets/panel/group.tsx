/** The heading of a group: its progress, its slots, and a button that pauses it. */

import { pauseIcon, runIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useState } from 'react';

import { standingLabel } from '../../format/queue';
import type { IGroup } from '../../services/types/groups';
import { useSignalValue, useWatchedValue } from '../../services/watchedvalue';
import type { IStanding } from '../../services/queue';
import type { IHeading } from './filter';
import { HeadingName, placed, type Drop, type IPlace, type IRowContext } from './row';

/** Milliseconds without another change after which the slots are sent: holding an arrow key changes them many times. */
const SETTLE = 500;

interface IGroupRowProps extends IRowContext, IPlace {
  heading: IHeading;
  standing: IStanding;
  /** Whether tasks that are dragged would be dropped into the group. */
  drop: Drop | null;
}

export function GroupRow(props: IGroupRowProps): JSX.Element {
  const { heading, standing, clock, trans } = props;
  const text = useSignalValue(clock.ticked, () => standingLabel(standing, clock.now, trans));
  return (
    <div
      {...placed(props, 'jp-PtyTasks-heading jp-PtyTasks-group')}
      data-group={heading.label}
      data-drop={props.drop ?? undefined}
      aria-level={1}
      aria-expanded={!heading.isCollapsed}
    >
      <div role="gridcell">
        <div className="jp-PtyTasks-line">
          <HeadingName heading={heading} />
        </div>
        <div
          className="jp-PtyTasks-standing"
          data-is={standing.group.paused ? 'paused' : undefined}
          title={text}
        >
          {text}
        </div>
      </div>
      <GroupControls {...props} />
    </div>
  );
}

/** Reached with Tab from the active heading. Their events are kept from the list, which would toggle or leave the group. */
function GroupControls({ standing, isActive, trans, actions }: IGroupRowProps): JSX.Element {
  const { pauseGroup, resumeGroup, setSlots } = useWatchedValue(actions);
  const { group } = standing;
  const toggle = group.paused ? resumeGroup : pauseGroup;
  const label = group.paused ? trans.__('Resume Group') : trans.__('Pause Group');
  const Icon = group.paused ? runIcon.react : pauseIcon.react;
  const tabIndex = isActive ? 0 : -1;
  return (
    <div
      role="gridcell"
      className="jp-PtyTasks-controlsOfGroup"
      onClick={event => event.stopPropagation()}
      onKeyDown={event => event.stopPropagation()}
    >
      {setSlots && (
        <Slots
          group={group}
          tabIndex={tabIndex}
          onSet={slots => setSlots(group.name, slots)}
          trans={trans}
        />
      )}
      {toggle && (
        <button
          type="button"
          tabIndex={tabIndex}
          className="jp-PtyTasks-action"
          title={label}
          aria-label={trans.__('%1 %2', label, group.name)}
          onClick={() => toggle(group.name)}
        >
          <Icon tag="span" />
        </button>
      )}
    </div>
  );
}

interface ISlotsProps {
  group: IGroup;
  tabIndex: number;
  onSet: (slots: number | null) => void;
  trans: TranslationBundle;
}

/** Empty for no limit. */
function Slots({ group, tabIndex, onSet, trans }: ISlotsProps): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  const known = group.slots === null ? '' : `${group.slots}`;
  const send = () => {
    if (typed !== null && typed !== known) {
      onSet(typed === '' ? null : Number(typed));
    }
    setTyped(null);
  };
  useEffect(() => {
    // The user may be about to type another number into an empty field. Leaving the field confirms it.
    if (typed !== null && typed !== '') {
      const timer = setTimeout(send, SETTLE);
      return () => clearTimeout(timer);
    }
    return undefined;
  }, [typed]);
  const title = trans.__('How many tasks of the group run at a time; empty for no limit');
  return (
    <input
      type="number"
      className="jp-PtyTasks-slots"
      min={0}
      max={100_000}
      tabIndex={tabIndex}
      aria-label={trans.__('Slots of %1', group.name)}
      title={title}
      placeholder="∞"
      value={typed ?? known}
      onChange={event => {
        if (event.target.validity.valid) {
          setTyped(event.target.value);
        }
      }}
      onBlur={send}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          send();
        } else if (event.key === 'Escape') {
          setTyped(null);
        }
      }}
    />
  );
}
