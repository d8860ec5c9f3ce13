/** How progress and usage of a task read. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from './times';
import { isEnded, type IProgress, type ITask, type IUsage } from '../services/types';

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;
const KIBI = 1024;

/** Return whole percents, rounded down: 100 only if the task is done. Null if the fraction is not known. */
export function percent({ fraction }: Pick<IProgress, 'fraction'>): number | null {
  if (fraction === null) {
    return null;
  }
  // 0.29 * 100 is 28.999999999999996.
  return fraction >= 1 ? 100 : Math.min(99, Math.max(0, Math.floor(fraction * 100 + 1e-9)));
}

/**
 * Seconds. Nothing is late before that, nor silent; a step that takes long (an epoch of ten minutes) may take several times as
 * long as it seems to.
 */
const LATE = 10;
const LATE_STEPS = 3;
const SILENT = 60;
const SILENT_STEPS = 5;

/** A percentage that nothing is counted behind has so many steps. */
const PERCENTS = 100;

/** Seconds that a task needs still, or for which it has been silent; null where nothing can be said. */
export type Remaining = { left: number } | { silent: number } | null;

/**
 * How long a running task takes still, at `now` (milliseconds, by the server's clock). The estimate of its last progress runs
 * down until the next step is late, and from then on it grows by the second: nobody knows what else is late. After a minute
 * without any output, or several steps, only that is said.
 *
 * The command line has the same rule (cli/measures.py); tests/contract/remaining.json holds both to it.
 */
export function remaining(
  task: Pick<ITask, 'state' | 'last_activity'>,
  progress: IProgress,
  now: number
): Remaining {
  if (task.state !== 'running' || progress.fraction === 1) {
    return null;
  }
  const moved = Date.parse(progress.updated);
  const heard = Date.parse(task.last_activity);
  const since = (...times: number[]) =>
    Math.max(0, (now - Math.max(...times.filter(time => !Number.isNaN(time)), -Infinity)) / 1000);
  const step = stepOf(progress);
  const silent = since(moved, heard);
  if (silent >= Math.max(SILENT, SILENT_STEPS * step) && Number.isFinite(silent)) {
    return { silent };
  }
  if (progress.eta === null) {
    return null;
  }
  const stood = Number.isNaN(moved) ? 0 : since(moved);
  const late = Math.max(LATE, LATE_STEPS * step);
  const left = Math.max(0, progress.eta - Math.min(stood, late)) + Math.max(0, stood - late);
  return { left };
}

/** Seconds from one step to the next, as it seems; 0 where that is not known. */
function stepOf({ eta, fraction, tracks }: IProgress): number {
  if (eta === null || fraction === null) {
    return 0;
  }
  const totals = tracks.map(({ total }) => total);
  const counted = totals.reduce<number>((steps, total) => steps * (total ?? 0), 1);
  const steps = (1 - fraction) * (totals.length > 0 && counted > 0 ? counted : PERCENTS);
  return eta / Math.max(1, steps);
}

/**
 * How far a task is and how long it will take: `62% · 3m 20s left`, or `62% · silent for 1m 40s`. Empty where neither is known.
 * Of a snapshot, which tells how it was some day, only how far.
 */
export function progressLabel(
  task: ITask,
  progress: IProgress,
  now: number,
  trans: TranslationBundle,
  isSnapshot = false
): string {
  const parts: string[] = [];
  const done = percent(progress);
  if (done !== null) {
    parts.push(trans.__('%1%', done));
  }
  const rest = isSnapshot ? null : remaining(task, progress, now);
  if (rest && 'left' in rest) {
    parts.push(trans.__('%1 left', duration(rest.left * 1000)));
  } else if (rest) {
    parts.push(trans.__('silent for %1', duration(rest.silent * 1000)));
  }
  return parts.join(' · ');
}

/** Whether a bar says anything: of a task that has ended, or a snapshot, nothing is said by one that nobody has counted. */
export function hasBar(
  task: Pick<ITask, 'state'>,
  progress: IProgress,
  isSnapshot = false
): boolean {
  return percent(progress) !== null || (!isEnded(task) && !isSnapshot);
}

/** Return a size for people to read: `512 B`, `1.2 GiB`, `340 MiB`. */
export function bytes(count: number): string {
  if (count < KIBI) {
    return `${Math.round(count)} B`;
  }
  let value = count / KIBI;
  let unit = 0;
  // 1023.5 would be rounded to 1024, which is 1.0 of the next unit.
  while (value >= KIBI - 0.5 && unit < UNITS.length - 1) {
    value /= KIBI;
    unit += 1;
  }
  return `${value < 9.95 ? (Math.round(value * 10) / 10).toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** The room that output takes, and may take at most (bytes): `1.2 of 5 GiB`, `340 MiB of 5 GiB`, `1.2 GiB`. */
export function storageLabel(used: number, limit: number | null, trans: TranslationBundle): string {
  const [amount, unit] = bytes(used).split(' ');
  if (limit === null) {
    return `${amount} ${unit}`;
  }
  const [most, unitOfMost] = bytes(limit).split(' ');
  // A limit is a round number, most of the time.
  const whole = most.replace(/\.0$/, '');
  return unit === unitOfMost
    ? trans.__('%1 of %2 %3', amount, whole, unit)
    : trans.__('%1 %2 of %3 %4', amount, unit, whole, unitOfMost);
}

type Measured = Pick<IUsage, 'cpu' | 'rss' | 'gpu_memory' | 'gpu_load'>;

/** The work and the room of a task just now: `187% · 1.2 GiB`, with `GPU 45% · 3.1 GiB` where it uses one. */
export function usageLabel(usage: Measured, trans: TranslationBundle): string {
  const own = [load(usage.cpu), room(usage.rss)].filter(part => part);
  const gpu = [load(usage.gpu_load), room(usage.gpu_memory)].filter(part => part);
  const parts = [own.join(' · ')];
  if (gpu.length > 0) {
    parts.push(trans.__('GPU %1', gpu.join(' · ')));
  }
  return parts.filter(part => part).join(' · ');
}

/** The same in words, with the highest values so far, a line each. */
export function usageDetails(usage: IUsage, trans: TranslationBundle): string {
  const { peak } = usage;
  const lines: string[] = [];
  const tell = (label: string, now: string, most: string) => {
    if (now && most) {
      lines.push(trans.__('%1: %2 (peak %3)', label, now, most));
    } else if (now) {
      lines.push(trans.__('%1: %2', label, now));
    } else if (most) {
      lines.push(trans.__('%1: peak %2', label, most));
    }
  };
  tell(trans.__('CPU (100% is one core)'), load(usage.cpu), load(peak.cpu));
  tell(trans.__('Memory'), room(usage.rss), room(peak.rss));
  // What belongs to the whole device is not all of this task.
  const whose = usage.gpu_scope === 'device' ? trans.__('GPU (all processes)') : trans.__('GPU');
  tell(whose, load(usage.gpu_load), load(peak.gpu_load));
  tell(trans.__('GPU memory'), room(usage.gpu_memory), room(peak.gpu_memory));
  return lines.join('\n');
}

/** What an ended task needed at most; empty where nobody measured. */
export function peakLabel(usage: IUsage, trans: TranslationBundle): string {
  const label = usageLabel(usage.peak, trans);
  return label ? trans.__('Peak %1', label) : '';
}

function load(value: number | null): string {
  return value === null ? '' : `${Math.round(value)}%`;
}

function room(value: number | null): string {
  return value === null ? '' : bytes(value);
}
