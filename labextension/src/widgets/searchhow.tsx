/** The toggle buttons of a search field: match case, and regular expression. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { caseSensitiveIcon, regexIcon, type LabIcon } from '@jupyterlab/ui-components';
import React from 'react';

import '../../style/searchhow.css';

import type { IHow } from '../services/outputsearch';

interface ISearchHowProps {
  how: IHow;
  onChange: (how: IHow) => void;
  trans: TranslationBundle;
}

export function SearchHow({ how, onChange, trans }: ISearchHowProps): JSX.Element {
  return (
    <>
      <Switch
        icon={caseSensitiveIcon}
        label={trans.__('Match case')}
        isOn={how.matchesCase}
        onClick={() => onChange({ ...how, matchesCase: !how.matchesCase })}
      />
      <Switch
        icon={regexIcon}
        label={trans.__('Regular expression')}
        isOn={how.isRegex}
        onClick={() => onChange({ ...how, isRegex: !how.isRegex })}
      />
    </>
  );
}

interface ISwitchProps {
  icon: LabIcon;
  label: string;
  isOn: boolean;
  onClick: () => void;
}

function Switch({ icon, label, isOn, onClick }: ISwitchProps): JSX.Element {
  return (
    <button
      type="button"
      className="jp-PtyTasks-switch"
      aria-pressed={isOn}
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      <icon.react tag="span" />
    </button>
  );
}
