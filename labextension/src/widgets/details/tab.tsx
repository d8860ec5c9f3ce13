/** The details tab of a task. */

import { MainAreaWidget } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import { infoIcon, ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import '../../../style/dialog.css';
import '../../../style/details.css';

import { DetailsView, type IDetailsProps } from './view';

/** A tab about the task `taskId`. Its node has the id as `data-ptytask`, so that palette commands apply to the task. */
export class DetailsTab extends MainAreaWidget<ReactWidget> {
  constructor(options: Omit<IDetailsProps, 'trans'> & { translator: ITranslator }) {
    const { id, model, translator } = options;
    const trans = translator.load('jupyter_ptytasks');
    const content = ReactWidget.create(<DetailsView {...options} trans={trans} />);
    super({ content, translator });
    content.addClass('jp-PtyTasks-details');
    this.taskId = id;
    this.node.dataset.ptytask = id;
    this.id = `jp-PtyTasks-details-${id}`;
    this.toolbar.hide();
    this.title.icon = infoIcon;
    this.title.closable = true;
    // Keep the name of a deleted task.
    let name = id;
    const retitle = () => {
      name = model.get(id)?.name ?? name;
      this.title.label = trans.__('Details of %1', name);
      this.title.caption = this.title.label;
    };
    retitle();
    model.changed.connect(retitle);
    this.disposed.connect(() => model.changed.disconnect(retitle));
  }

  readonly taskId: string;
}
