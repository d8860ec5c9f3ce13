/** An earlier screen of a task, over its terminal, with a slider from the first output to the last. */

import { Terminal, type ITerminal } from '@jupyterlab/terminal';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, ReactWidget, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import { PanelLayout, Widget } from '@lumino/widgets';
import React, { useEffect, useRef, useState } from 'react';

import type { TaskApi } from '../../services/api';
import type { IReplay } from '../../services/types/output';
import { StillConnection } from '../../terminal/still';
import { resize } from '../../terminal/xterm';

/** Steps of the slider. */
const STEPS = 1000;

interface ISliderProps {
  /** Draw the screen at a time, or the last one, and return what was drawn. */
  show: (time?: Date) => Promise<IReplay>;
  /** Whether the oldest output is no longer kept. */
  isCut: () => boolean;
  onClose: () => void;
  trans: TranslationBundle;
}

/** The slider and the time. While a request is pending, only the last position is remembered. */
export function MomentSlider({ show, isCut, onClose, trans }: ISliderProps): JSX.Element {
  const [at, setAt] = useState(STEPS);
  const [shown, setShown] = useState<IReplay | null>(null);
  const [problem, setProblem] = useState('');
  const wanted = useRef<number | null>(STEPS);
  const isBusy = useRef(false);

  const begin = shown ? Date.parse(shown.first_time) : 0;
  const length = shown ? Date.parse(shown.last_time) - begin : 0;
  const timeOf = (step: number) => new Date(begin + (length * step) / STEPS);

  const seek = async () => {
    if (isBusy.current) {
      return;
    }
    isBusy.current = true;
    try {
      while (wanted.current !== null) {
        const step = wanted.current;
        wanted.current = null;
        setShown(await show(step === STEPS ? undefined : timeOf(step)));
        setProblem('');
      }
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      isBusy.current = false;
    }
  };
  const slider = useRef<HTMLInputElement>(null);
  useEffect(() => {
    slider.current?.focus();
    void seek();
  }, []);

  const time = shown ? new Date(at === STEPS ? shown.last_time : timeOf(at)).toLocaleString() : '';
  const label =
    at === 0 && isCut() ? trans.__('%1 (earlier output is no longer kept)', time) : time;
  return (
    <>
      <input
        ref={slider}
        type="range"
        className="jp-PtyTasks-moment-slider"
        aria-label={trans.__('Time')}
        aria-valuetext={label}
        min={0}
        max={STEPS}
        value={at}
        onChange={event => {
          wanted.current = event.target.valueAsNumber;
          setAt(wanted.current);
          void seek();
        }}
      />
      <span className="jp-PtyTasks-moment-time">{problem || label}</span>
      <ToolbarButtonComponent
        icon={closeIcon}
        tooltip={trans.__('Back to the terminal')}
        onClick={onClose}
      />
    </>
  );
}

/** The slider and a terminal without input. Escape closes it, as its button does. */
export class MomentView extends Widget {
  constructor(options: MomentView.IOptions) {
    super();
    this.addClass('jp-PtyTasks-moment');
    const { id, api, isCut, onClose, translator } = options;
    const trans = translator.load('jupyter_ptytasks');
    const connection = new StillConnection(id, api.serverSettings);
    const terminal = new Terminal(connection, { ...options.settings, autoFit: false }, translator);
    this.terminal = terminal;
    const show = async (time?: Date) => {
      const [replay] = await Promise.all([api.replay(id, time), terminal.ready]);
      if (!terminal.isDisposed) {
        resize(terminal, replay.rows, replay.cols);
        connection.show(replay.data);
      }
      return replay;
    };
    const bar = ReactWidget.create(
      <MomentSlider show={show} isCut={isCut} onClose={onClose} trans={trans} />
    );
    bar.addClass('jp-PtyTasks-whole-bar');
    bar.node.setAttribute('role', 'toolbar');
    bar.node.setAttribute('aria-label', trans.__('Earlier screens'));
    const layout = (this.layout = new PanelLayout());
    layout.addWidget(bar);
    layout.addWidget(terminal);
    this.node.addEventListener('keydown', event => {
      event.stopPropagation();
      if (event.key === 'Escape') {
        onClose();
      }
    });
    this.disposed.connect(() => connection.dispose());
  }

  /** The terminal that shows the screen. */
  readonly terminal: Terminal;
}

export namespace MomentView {
  export interface IOptions {
    /** The id of the task. */
    id: string;
    api: Pick<TaskApi, 'replay' | 'serverSettings'>;
    /** The user's terminal settings. */
    settings: Partial<ITerminal.IOptions>;
    /** Whether the oldest output is no longer kept. */
    isCut: () => boolean;
    /** Called to close it. */
    onClose: () => void;
    translator: ITranslator;
  }
}
