/** Formats progress, resource usage and sizes. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from './times';
import type { IProgress, IUsage } from '../services/types/measured';
import { isEnded } from '../services/types/states';
import type { ITask } from '../services/types/tasks';

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
 * A step is late after this many seconds or steps, whichever is longer, and a task is silent after that many: a long step, such
 * as an epoch of ten minutes, may take several times as long as estimated.
 */
const LATE = 10;
const LATE_STEPS = 3;
const SILENT = 60;
const SILENT_STEPS = 5;

/** The steps of a percentage without counters. */
const PERCENTS = 100;

/** Seconds that are left, or since the last output; null if unknown. */
export type Remaining = { left: number } | { silent: number } | null;

/**
 * Return how long a running task will take, at `now` (milliseconds, by the server's clock). The last estimate counts down until
 * the next step is late; from then on it grows every second. After a minute or several steps without output, the time since the
 * last output is returned instead.
 *
 * The command line has the same rule (cli/measures.py): tests/contract/remaining.json.
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

/** Return the estimated seconds per step; 0 if unknown. */
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
 * Return the progress and the time left: `62% · 3m 20s left` or `62% · silent for 1m 40s`. Empty if neither is known. A snapshot
 * has no time left.
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

/** Return whether to show a progress bar. An indeterminate one is for tasks that have not ended, and not for snapshots. */
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

/** Return used space and limit, given in bytes: `1.2 of 5 GiB`, `340 MiB of 5 GiB`, `1.2 GiB`. */
export function storageLabel(used: number, limit: number | null, trans: TranslationBundle): string {
  const [amount, unit] = bytes(used).split(' ');
  if (limit === null) {
    return `${amount} ${unit}`;
  }
  const [most, unitOfMost] = bytes(limit).split(' ');
  // Limits are mostly round numbers: omit the `.0`.
  const whole = most.replace(/\.0$/, '');
  return unit === unitOfMost
    ? trans.__('%1 of %2 %3', amount, whole, unit)
    : trans.__('%1 %2 of %3 %4', amount, unit, whole, unitOfMost);
}

type Measured = Pick<IUsage, 'cpu' | 'rss' | 'gpu_memory' | 'gpu_load'>;

/** Return CPU load and memory: `187% · 1.2 GiB`, with `GPU 45% · 3.1 GiB` if the task uses one. */
export function usageLabel(usage: Measured, trans: TranslationBundle): string {
  const own = [load(usage.cpu), room(usage.rss)].filter(part => part);
  const gpu = [load(usage.gpu_load), room(usage.gpu_memory)].filter(part => part);
  const parts = [own.join(' · ')];
  if (gpu.length > 0) {
    parts.push(trans.__('GPU %1', gpu.join(' · ')));
  }
  return parts.filter(part => part).join(' · ');
}

/** Return labeled values with their peaks, one per line. */
export function usageDetails(usage: IUsage, trans: TranslationBundle): string {
  const { peak } = usage;
  const lines: string[] = [];
  const add = (label: string, now: string, most: string) => {
    if (now && most) {
      lines.push(trans.__('%1: %2 (peak %3)', label, now, most));
    } else if (now) {
      lines.push(trans.__('%1: %2', label, now));
    } else if (most) {
      lines.push(trans.__('%1: peak %2', label, most));
    }
  };
  add(trans.__('CPU (100% is one core)'), load(usage.cpu), load(peak.cpu));
  add(trans.__('Memory'), room(usage.rss), room(peak.rss));
  // Device-wide values include other processes.
  const gpuLabel = usage.gpu_scope === 'device' ? trans.__('GPU (all processes)') : trans.__('GPU');
  add(gpuLabel, load(usage.gpu_load), load(peak.gpu_load));
  add(trans.__('GPU memory'), room(usage.gpu_memory), room(peak.gpu_memory));
  return lines.join('\n');
}

/** Return the peak usage of an ended task; empty if it was not measured. */
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
