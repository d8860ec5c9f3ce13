/** The controls of a metrics tab: horizontal axis, smoothing, scale, and a filter of metrics. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import React from 'react';

import type { Axis } from '../../format/curves';
import type { WatchedValue } from '../../services/watchedvalue';

/** How the charts are drawn. */
export interface IDrawing {
  axis: Axis;
  isLog: boolean;
  /** From 0, no smoothing, to 0.99. */
  smoothing: number;
  /** The ids of the tasks without curves. */
  hidden: readonly string[];
  /** Text that the names of the drawn metrics contain. */
  filter: string;
}

/** The initial settings. */
export const DRAWING: IDrawing = {
  axis: 'step',
  isLog: false,
  smoothing: 0,
  hidden: [],
  filter: ''
};

/** The most smoothing, and the step of the slider. */
const SMOOTHEST = 0.99;
const STEP = 0.01;

interface IControlsProps {
  store: WatchedValue<IDrawing>;
  drawing: IDrawing;
  trans: TranslationBundle;
}

export function Controls({ store, drawing, trans }: IControlsProps): JSX.Element {
  const set = (change: Partial<IDrawing>): void => {
    store.value = { ...drawing, ...change };
  };
  return (
    <div className="jp-PtyTasks-metrics-controls" role="group" aria-label={trans.__('Charts')}>
      <label>
        {trans.__('Horizontal axis')}
        <HTMLSelect
          value={drawing.axis}
          onChange={event => set({ axis: event.currentTarget.value === 'time' ? 'time' : 'step' })}
        >
          <option value="step">{trans.__('Step')}</option>
          <option value="time">{trans.__('Time')}</option>
        </HTMLSelect>
      </label>
      <label title={trans.__('Draw a moving average')}>
        {trans.__('Smoothing')}
        <input
          type="range"
          min={0}
          max={SMOOTHEST}
          step={STEP}
          value={drawing.smoothing}
          onChange={event => set({ smoothing: event.currentTarget.valueAsNumber })}
        />
        <span aria-hidden>{drawing.smoothing}</span>
      </label>
      <label title={trans.__('Use a logarithmic vertical axis')}>
        <input
          type="checkbox"
          checked={drawing.isLog}
          onChange={event => set({ isLog: event.currentTarget.checked })}
        />
        {trans.__('Logarithmic')}
      </label>
      <InputGroup
        className="jp-PtyTasks-search"
        type="search"
        rightIcon="ui-components:search"
        placeholder={trans.__('Filter metrics')}
        aria-label={trans.__('Filter metrics')}
        value={drawing.filter}
        onChange={event => set({ filter: event.currentTarget.value })}
      />
    </div>
  );
}
