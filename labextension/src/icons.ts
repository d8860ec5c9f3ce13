/** Our icons. */

import { LabIcon } from '@jupyterlab/ui-components';

import metricsSvg from '../icons/metrics.svg';
import tasksSvg from '../icons/tasks.svg';

export const tasksIcon = new LabIcon({ name: 'jupyter-ptytasks:tasks', svgstr: tasksSvg });

export const metricsIcon = new LabIcon({ name: 'jupyter-ptytasks:metrics', svgstr: metricsSvg });
