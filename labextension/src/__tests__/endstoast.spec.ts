import { Notification } from '@jupyterlab/apputils';

import type { INotice } from '../services/completions';
import { EndsToast } from '../widgets/endstoast';

const GOOD: INotice = { kind: 'success', ids: ['a'], message: '“a” succeeded' };
const BAD: INotice = { kind: 'error', ids: ['a', 'b'], message: '2 tasks ended' };

describe('EndsToast', () => {
  const onShow = jest.fn();
  let toast: EndsToast;
  const shown = () =>
    Notification.manager.notifications.map(({ message, type }) => [message, type]);

  beforeEach(() => {
    jest.useFakeTimers();
    onShow.mockClear();
    toast = new EndsToast(() => [], onShow);
  });

  afterEach(() => {
    Notification.dismiss();
    jest.useRealTimers();
  });

  it('is one, which is changed, and has the color of what it says', () => {
    toast.show(GOOD);
    toast.show(BAD);
    toast.show({ ...BAD, message: '3 tasks ended' });
    expect(shown()).toEqual([['3 tasks ended', 'error']]);
    expect(onShow).toHaveBeenCalledTimes(3);
  });

  it('is open until a success has left the screen, or the user has dismissed a failure', () => {
    expect(toast.isOpen).toBe(false);
    toast.show(GOOD);
    jest.advanceTimersByTime(4000);
    expect(toast.isOpen).toBe(true);
    jest.advanceTimersByTime(2000);
    expect(toast.isOpen).toBe(false);
    toast.show(BAD);
    jest.advanceTimersByTime(60_000);
    expect(toast.isOpen).toBe(true);
    Notification.dismiss(Notification.manager.notifications[0].id);
    expect(toast.isOpen).toBe(false);
  });

  it('leaves what has left the screen in the list of notifications', () => {
    toast.show(GOOD);
    jest.advanceTimersByTime(6000);
    toast.close();
    toast.show(BAD);
    expect(shown()).toEqual([
      ['2 tasks ended', 'error'],
      ['“a” succeeded', 'success']
    ]);
    toast.close();
    expect(shown()).toEqual([['“a” succeeded', 'success']]);
  });
});
