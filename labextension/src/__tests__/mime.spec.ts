import { Sanitizer } from '@jupyterlab/apputils';
import { MimeModel } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';

import extension from '../mime';
import { TaskModel } from '../services/model';
import { MIME_TYPE } from '../widgets/cell/cell';
import { provide } from '../widgets/cell/factory';
import { mockSight } from './sight';

jest.mock('../services/model');

describe('the renderer', () => {
  const { rendererFactory } = extension;
  const create = () =>
    rendererFactory.createRenderer({
      mimeType: MIME_TYPE,
      sanitizer: new Sanitizer(),
      resolver: null,
      linkHandler: null,
      latexTypesetter: null
    });

  beforeEach(() => {
    (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
    mockSight();
  });

  it('renders tasks by itself where there are no plugins', async () => {
    const first = create();
    const second = create();
    expect(TaskModel).toHaveBeenCalledTimes(1);
    expect(first.node.className).toContain('jp-PtyTasks-output');
    await act(async () => {
      await first.renderModel(new MimeModel({ data: { 'text/plain': 'a task' } }));
    });
    first.dispose();
    second.dispose();
  });

  it('has the model of the plugins once there are some', async () => {
    const surroundings = jest.fn(() => ({
      model: new TaskModel({} as TaskModel.IOptions),
      translator: nullTranslator,
      actions: {}
    }));
    provide(surroundings);
    create().dispose();
    create().dispose();
    expect(surroundings).toHaveBeenCalledTimes(2);
  });
});
