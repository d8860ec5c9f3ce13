/** What tasks may say of themselves. */

import type { IProgress, IUsage } from '../services/types/measured';

export const PROGRESS: IProgress = {
  fraction: 0.5,
  text: '',
  state: 'normal',
  eta: null,
  tracks: [],
  updated: '2026-11-21T06:00:00.000Z'
};

const NOTHING = { cpu: null, rss: null, gpu_memory: null, gpu_load: null };

export const USAGE: IUsage = { ...NOTHING, gpu_scope: null, cpu_time: null, peak: NOTHING };
