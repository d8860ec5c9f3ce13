import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';

import { WarningsToast } from '../widgets/warningstoast';

describe('WarningsToast', () => {
  const actionsOf = jest.fn((): Notification.IAction[] => []);
  let toast: WarningsToast;
  const shown = () => Notification.manager.notifications.map(({ message }) => message);

  beforeEach(() => {
    toast = new WarningsToast(actionsOf, nullTranslator.load('jupyterlab'));
  });

  afterEach(() => Notification.dismiss());

  it('is one for all tasks, and goes with the last of them', () => {
    const [a, b] = ['a', 'b'].map(id => toast.add(id, `“${id}”: loss is NaN`));
    expect(shown()).toEqual(['2 tasks have warnings. Latest: “b”: loss is NaN']);
    expect(actionsOf).toHaveBeenLastCalledWith(['a', 'b']);
    b();
    expect(shown()).toEqual(['“a”: loss is NaN']);
    a();
    expect(shown()).toEqual([]);
  });

  it('begins again after the user has dismissed it', () => {
    const a = toast.add('a', 'first');
    Notification.dismiss(Notification.manager.notifications[0].id);
    a();
    expect(shown()).toEqual([]);
    toast.add('b', 'second');
    expect(shown()).toEqual(['second']);
  });
});
