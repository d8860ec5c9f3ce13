/** Our icons. */

import { LabIcon } from '@jupyterlab/ui-components';

import tasksSvg from '../icons/tasks.svg';

export const tasksIcon = new LabIcon({ name: 'jupyter-ptytasks:tasks', svgstr: tasksSvg });
