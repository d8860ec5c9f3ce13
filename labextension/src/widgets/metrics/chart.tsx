/** The chart of one metric, drawn by uPlot: a curve for each task, and the values at the cursor as text. */

import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import { numeral, stepNumeral, ticks, type Axis, type Column } from '../../format/curves';
import { duration } from '../../format/times';
import { useIsVisible } from '../hooks';
import type { ILineLook, ILook } from './look';

/** One curve. */
export interface ILine extends ILineLook {
  label: string;
  /** The positions of the values on the horizontal axis, in any order. */
  places: readonly number[];
  values: Column;
  /** The values before smoothing; null without smoothing. */
  rough: Column | null;
  /** The positions where output is missing: the curve is interrupted there. */
  breaks: readonly number[];
}

export interface IChartProps {
  name: string;
  lines: readonly ILine[];
  axis: Axis;
  isLog: boolean;
  look: ILook;
  /** Charts with the same key share a cursor. */
  group: string;
  trans: TranslationBundle;
}

const HEIGHT = 200;

/** The opacity of the unsmoothed values behind the curve. */
const FAINT = 0.25;

/** The minimum width of the vertical axis, the width of a character, and that of everything beside a label, in pixels. */
const SIDE = 56;
const CHARACTER = 7;
const BESIDE = 20;

/** The possible distances between two labels of whole steps. */
const WHOLE = Array.from({ length: 45 }, (_, at) => [1, 2, 5][at % 3] * 10 ** Math.floor(at / 3));

/** Half the width of the mark where output is missing. */
const MARK = 6;

/** The most values that are shown at the cursor. */
const TOLD = 6;

/** Times below this many seconds are shown with fractions. */
const BRIEF = 10;

/** Milliseconds in a second. */
const SECOND = 1000;

export const Chart = React.memo(function Chart(props: IChartProps): JSX.Element {
  const { name, lines, axis, isLog, look, group, trans } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const isSeen = useIsVisible(host);
  const [told, setTold] = useState('');
  const data = useMemo(() => (isSeen ? table(lines) : null), [isSeen, lines]);
  const drawn = useRef<uPlot.AlignedData | null>(null);
  // A chart is created again only if its curves or its look change; otherwise it just gets new data.
  const kind = JSON.stringify([
    axis,
    isLog,
    look,
    lines.map(({ label, color, dash, rough, breaks }) => [label, color, dash, !!rough, breaks])
  ]);

  useEffect(() => {
    const node = host.current;
    if (!node || !isSeen || !data) {
      return;
    }
    const options = optionsOf(props, node.clientWidth, made =>
      setTold(isBroken(made, lines) ? trans.__('Output is missing here.') : words(made, axis))
    );
    drawn.current = data;
    const made = (plot.current = new uPlot(options, data, node));
    const observer = new ResizeObserver(() => {
      made.setSize({ width: node.clientWidth, height: HEIGHT });
    });
    observer.observe(node);
    return () => {
      observer.disconnect();
      plot.current = undefined;
      made.destroy();
    };
  }, [kind, isSeen, group]);

  useEffect(() => {
    if (plot.current && data && data !== drawn.current) {
      drawn.current = data;
      redraw(plot.current, data);
    }
  }, [data]);

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (plot.current && step) {
      event.preventDefault();
      event.stopPropagation();
      moveCursor(plot.current, step);
    }
  };
  return (
    <section className="jp-PtyTasks-chart" aria-label={name}>
      <h3 className="jp-PtyTasks-chart-name" title={name}>
        {name}
      </h3>
      <div
        ref={host}
        className="jp-PtyTasks-chart-plot"
        style={{ minHeight: HEIGHT }}
        role="img"
        tabIndex={0}
        aria-label={trans.__(
          'Chart of %1. Use the left and right arrow keys to read its values; the table has the last and best ones.',
          name
        )}
        onKeyDown={onKeyDown}
      />
      <div className="jp-PtyTasks-chart-told" role="status" title={told}>
        {told}
      </div>
    </section>
  );
});

/** Return the curves as a table with a common column of positions. */
function table(lines: readonly ILine[]): uPlot.AlignedData {
  const tables = lines.map(({ places, values, rough, breaks }): uPlot.AlignedData => {
    // Missing values interrupt the curve.
    const nothing = breaks.map(() => null);
    const columns = (rough ? [rough, values] : [values]).map(column => [...column, ...nothing]);
    const all = [...places, ...breaks];
    const { order, isInOrder } = ordered(all);
    const sorted = <T,>(column: T[]) => (isInOrder ? column : order.map(at => column[at]));
    return [sorted(all), ...columns.map(sorted)];
  });
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}

/** Return the indices that sort the positions, each position once, with its last value. */
function ordered(places: readonly number[]): { order: number[]; isInOrder: boolean } {
  if (places.every((place, at) => at === 0 || place > places[at - 1])) {
    return { order: [], isInOrder: true };
  }
  const last = new Map(places.map((place, at) => [place, at]));
  const order = [...last].sort(([one], [other]) => one - other).map(([, at]) => at);
  return { order: order.filter(at => Number.isFinite(places[at])), isInOrder: false };
}

function optionsOf(
  { lines, axis, isLog, look, group }: IChartProps,
  width: number,
  onCursor: (plot: uPlot) => void
): uPlot.Options {
  const { text, ground, grid, warning, font } = look;
  const breaks = new Set(lines.flatMap(line => line.breaks));
  const isWhole = axis === 'step' && lines.every(({ places }) => places.every(Number.isInteger));
  const side = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } };
  const curve = ({ label, color, dash }: ILine): uPlot.Series => ({
    label,
    stroke: color,
    dash,
    width: 1.5,
    points: { fill: ground }
  });
  const series: uPlot.Series[] = [
    {},
    ...lines.flatMap(line =>
      line.rough
        ? [
            { stroke: line.color, alpha: FAINT, width: 1, points: { show: false } },
            { ...curve(line), points: { show: false } }
          ]
        : [curve(line)]
    )
  ];
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    scales: { x: { time: false }, y: { distr: isLog ? 3 : 1 } },
    axes: [
      {
        ...side,
        size: 28,
        ...(isWhole && { incrs: WHOLE }),
        values: (_, splits, __, ___, step) =>
          axis === 'step' ? ticks(splits, step) : splits.map(place => placeLabel(place, axis))
      },
      {
        ...side,
        size: (_, labels) => Math.max(SIDE, ...(labels ?? []).map(wideOf)),
        values: (_, splits, __, ___, step) => ticks(splits, step)
      }
    ],
    series,
    cursor: {
      y: false,
      points: { size: 6, fill: (_, at) => `${series[at].stroke}` },
      sync: { key: group, setSeries: false, scales: ['x', null] }
    },
    hooks: { setCursor: [onCursor], draw: [plot => markBreaks(plot, breaks, warning)] }
  };
}

function wideOf(label: string): number {
  return BESIDE + CHARACTER * label.length;
}

/** Draw a dashed line with a triangle on it where output is missing. */
function markBreaks(plot: uPlot, breaks: Iterable<number>, color: string): void {
  const { ctx, bbox } = plot;
  const size = MARK * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([size / 2, size / 2]);
  for (const place of breaks) {
    const x = Math.round(plot.valToPos(place, 'x', true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) {
      continue;
    }
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - size, bbox.top);
    ctx.lineTo(x + size, bbox.top);
    ctx.lineTo(x, bbox.top + size);
    ctx.fill();
  }
  ctx.restore();
}

/** Return whether output is missing at the cursor. */
function isBroken(plot: uPlot, lines: readonly ILine[]): boolean {
  const { idx, left } = plot.cursor;
  return (
    typeof idx === 'number' &&
    (left ?? -1) >= 0 &&
    lines.some(({ breaks }) => breaks.includes(plot.data[0][idx]))
  );
}

function placeLabel(place: number, axis: Axis): string {
  if (axis === 'step') {
    return stepNumeral(place);
  }
  return place < BRIEF ? `${numeral(place)}s` : duration(place * SECOND);
}

/** Return the values at the cursor, such as `40: train 0.31, other 0.29`; empty if the cursor is elsewhere. */
function words(plot: uPlot, axis: Axis): string {
  const { idx, idxs, left } = plot.cursor;
  if (idx === null || idx === undefined || (left ?? -1) < 0) {
    return '';
  }
  const curves = plot.series.flatMap(({ label, alpha }, at) =>
    at > 0 && alpha !== FAINT ? [{ label, at }] : []
  );
  const values = curves.flatMap(({ label, at }) => {
    const place = idxs?.[at];
    const value = place === null || place === undefined ? undefined : plot.data[at][place];
    if (value === undefined) {
      return [];
    }
    // Null stands for values that cannot be drawn: NaN, or nonpositive ones on a logarithmic axis.
    const told = value === null ? '–' : numeral(value);
    return curves.length > 1 ? [`${label} ${told}`] : [told];
  });
  const rest = values.length > TOLD ? ' …' : '';
  return `${placeLabel(plot.data[0][idx], axis)}: ${values.slice(0, TOLD).join(', ')}${rest}`;
}

type Cursor = Parameters<uPlot['setCursor']>[0];

/** Move the cursor by one position, or to the last one if it is not shown. */
function moveCursor(plot: uPlot, step: number): void {
  const [places] = plot.data;
  const { idx, left } = plot.cursor;
  const isShown = idx !== null && idx !== undefined && (left ?? -1) >= 0;
  const next = isShown ? idx + step : places.length - 1;
  const place = places[Math.max(0, Math.min(places.length - 1, next))];
  if (place !== undefined) {
    // The third argument, which the types lack, makes the other charts of the group follow.
    const setCursor: (to: Cursor, fire: boolean, publish: boolean) => void = plot.setCursor;
    setCursor({ left: plot.valToPos(place, 'x'), top: 0 }, true, true);
  }
}

/** Draw new data. If the user has zoomed in, keep that. */
function redraw(plot: uPlot, data: uPlot.AlignedData): void {
  const { min = -Infinity, max = Infinity } = plot.scales.x;
  const [places] = plot.data;
  const isZoomed = min > places[0] || max < places[places.length - 1];
  plot.setData(data, !isZoomed);
  if (isZoomed) {
    plot.redraw();
  }
}
