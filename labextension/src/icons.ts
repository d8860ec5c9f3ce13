/** Our icons. */

import { LabIcon } from '@jupyterlab/ui-components';

import metricsSvg from '../icons/metrics.svg';
import pinSvg from '../icons/pin.svg';
import tasksSvg from '../icons/tasks.svg';

export const tasksIcon = new LabIcon({ name: 'jupyter-ptytasks:tasks', svgstr: tasksSvg });

export const metricsIcon = new LabIcon({ name: 'jupyter-ptytasks:metrics', svgstr: metricsSvg });

export const pinIcon = new LabIcon({ name: 'jupyter-ptytasks:pin', svgstr: pinSvg });
