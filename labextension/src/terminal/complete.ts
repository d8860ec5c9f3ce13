/** Waits for the whole output of a task. */

import { isEnded } from '../services/types/states';
import type { TaskConnection } from './connection';

/** Resolve when all output of an ended task is on the screen. Do not wait if the task has not ended or is disconnected. */
export function whenComplete(connection: TaskConnection): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      const { link, isReplaying, task } = connection;
      const isComing = link === 'connecting' || (link === 'connected' && (!task || isEnded(task)));
      if (!isComing && !isReplaying) {
        stop();
      }
    };
    const stop = () => {
      connection.changed.disconnect(look);
      connection.replaying.disconnect(look);
      connection.disposed.disconnect(stop);
      resolve();
    };
    connection.changed.connect(look);
    connection.replaying.connect(look);
    connection.disposed.connect(stop);
    look();
  });
}
