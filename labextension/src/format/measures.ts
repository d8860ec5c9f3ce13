/** How progress and usage of a task read. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from './times';
import { isLive, type IProgress, type ITask, type IUsage } from '../services/types';

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;
const KIBI = 1024;

/** Whole percents; a hundred only of what is complete. Null where it is not known how far it is. */
export function percent(progress: IProgress): number | null {
  const { fraction } = progress;
  return fraction === null ? null : Math.floor(Math.min(1, Math.max(0, fraction)) * 100);
}

/**
 * How far a task is and how long it will take: `62% · 3m 20s left`. Empty where neither is known. Of a snapshot, which
 * tells how it was some day, only how far.
 */
export function progressLabel(
  task: ITask,
  progress: IProgress,
  trans: TranslationBundle,
  isSnapshot = false
): string {
  const parts: string[] = [];
  const done = percent(progress);
  if (done !== null) {
    parts.push(trans.__('%1%', done));
  }
  if (isLive(task) && !isSnapshot && progress.eta !== null) {
    parts.push(trans.__('%1 left', duration(progress.eta * 1000)));
  }
  return parts.join(' · ');
}

/** A number of bytes, in three digits: `512 B`, `1.2 GiB`, `340 MiB`. */
export function bytes(count: number): string {
  if (count < KIBI) {
    return `${Math.round(count)} B`;
  }
  let value = count / KIBI;
  let unit = 0;
  // 1023.5 would be rounded to what the next unit is there for.
  while (value >= KIBI - 0.5 && unit < UNITS.length - 1) {
    value /= KIBI;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
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
  tell(trans.__('CPU, of one core'), load(usage.cpu), load(peak.cpu));
  tell(trans.__('Memory'), room(usage.rss), room(peak.rss));
  // What belongs to the whole device is not all of this task.
  const whose = usage.gpu_scope === 'device' ? trans.__('GPU, by all') : trans.__('GPU');
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
