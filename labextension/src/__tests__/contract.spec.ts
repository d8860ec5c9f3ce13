/** The server's answers in tests/contract, which its own tests hold it to, are what we take them for. */

import { errorSchema } from '../services/types/errors';
import { groupsSchema } from '../services/types/groups';
import { changesSchema, pageSchema, readTasks } from '../services/types/lists';
import { statsSchema } from '../services/types/measured';
import { outputSchema, replaySchema, whySchema } from '../services/types/output';
import { placeOptionsSchema, placesSchema } from '../services/types/places';
import { statusSchema } from '../services/types/service';
import { STATES, isActive, isEnded } from '../services/types/states';
import { commandLine, taskSchema } from '../services/types/tasks';
import { detailsSchema, differenceSchema } from '../services/about';
import changes from '../../../tests/contract/changes.json';
import details from '../../../tests/contract/details.json';
import difference from '../../../tests/contract/diff.json';
import error from '../../../tests/contract/error.json';
import finished from '../../../tests/contract/finished.json';
import groups from '../../../tests/contract/groups.json';
import list from '../../../tests/contract/list.json';
import metrics from '../../../tests/contract/metrics.json';
import output from '../../../tests/contract/output.json';
import replay from '../../../tests/contract/replay.json';
import stats from '../../../tests/contract/stats.json';
import status from '../../../tests/contract/status.json';
import placeOptions from '../../../tests/contract/place_options.json';
import places from '../../../tests/contract/places.json';
import why from '../../../tests/contract/why.json';
import task from '../../../tests/contract/task.json';

describe('the contract', () => {
  it('reads a live task', () => {
    const parsed = taskSchema.parse(task);
    expect(parsed).toMatchObject({ id: task.id, name: 'train', state: 'running', exit: null });
    expect(isActive(parsed)).toBe(true);
    expect(commandLine(parsed)).toBe(task.command);
  });

  it('reads a finished task', () => {
    const parsed = taskSchema.parse(finished);
    expect(parsed.exit).toEqual({ code: 3, signal: null });
    expect(isEnded(parsed)).toBe(true);
  });

  it('gives tasks page by page', () => {
    const page = pageSchema.parse(list);
    const { tasks, unreadable } = readTasks(page.tasks);
    expect(tasks.map(({ id }) => id)).toEqual(list.tasks.map(({ id }) => id));
    expect(unreadable).toEqual([]);
    expect([page.next_cursor, page.revision]).toEqual([list.next_cursor, list.revision]);
  });

  it('tells what has changed since then', () => {
    expect(changesSchema.parse(changes)).toEqual(changes);
    expect(readTasks(changes.tasks).unreadable).toEqual([]);
  });

  it('tells why a task has failed', () => {
    const { kind, message, lines } = why;
    expect(whySchema.parse(why)).toEqual({ kind, message, lines });
  });

  it('tells where tasks can run, and what they can ask for there', () => {
    expect(places).toMatchObject(placesSchema.parse(places));
    const { partitions, accounts, qos } = placeOptions;
    expect(placeOptionsSchema.parse(placeOptions)).toEqual({ partitions, accounts, qos });
  });

  it('tells what a task is, and in what it differs from another one', () => {
    expect(details).toMatchObject(detailsSchema.parse(details));
    expect(difference).toMatchObject(differenceSchema.parse(difference));
  });

  it('draws the screen as it was', () => {
    expect(replay).toMatchObject(replaySchema.parse(replay));
  });

  it('gives output by line', () => {
    expect(outputSchema.parse(output)).toMatchObject({ output: 'hello\n', ended: false });
  });

  it('reads progress and usage', () => {
    const { progress, usage } = taskSchema.parse(task);
    const { fraction, text, eta } = task.progress;
    expect(progress).toMatchObject({ fraction, text, eta });
    expect(usage?.rss).toBe(task.usage?.rss ?? null);
    const { samples } = statsSchema.parse(stats);
    expect(samples).toEqual(stats.samples);
  });

  it('reads metrics', () => {
    expect(taskSchema.parse(task).metrics).toEqual(task.metrics);
    const [loss] = metrics.metrics;
    const told = { loss: { value: 'NaN', step: 3, min: null, max: null, trend: [null] } };
    expect(taskSchema.parse({ ...task, metrics: told }).metrics.loss.value).toBeNaN();
    expect(task.metrics.loss).toMatchObject({
      value: loss.value,
      step: loss.step,
      min: loss.min,
      max: loss.max
    });
  });

  it('takes the word of an older server, which says nothing of that', () => {
    const { progress, metrics: told, usage, ...rest } = task;
    expect([progress, told, usage]).not.toContain(undefined);
    expect(taskSchema.parse(rest)).toMatchObject({ progress: null, metrics: {}, usage: null });
  });

  it('reads groups', () => {
    const [gpu] = groupsSchema.parse(groups).groups;
    const { name, slots, paused, reason } = groups.groups[0];
    expect(gpu).toEqual({ name, slots, gpus: null, paused, reason, ends: null });
  });

  it('takes the word of an older server, which has no queue', () => {
    const { queue, rank, slots, priority, ...rest } = task;
    expect([queue, rank, slots, priority]).not.toContain(undefined);
    expect(taskSchema.parse(rest)).toMatchObject({ queue: null, rank: '', slots: 1, priority: 0 });
  });

  it('blames a field', () => {
    expect(errorSchema.parse(error)).toEqual(error);
  });

  it('has the states that we know, in their order', () => {
    expect(Object.keys(status.tasks)).toEqual([...STATES]);
  });

  it('reads the disk usage, or that it is unknown', () => {
    const storage = { used: 12, limit: null };
    expect(statusSchema.parse({ ...status, storage }).storage).toEqual(storage);
    expect(statusSchema.parse(status).storage).toEqual(status.storage);
    expect(statusSchema.parse({ ...status, storage: undefined }).storage).toBeNull();
  });

  it('may say more than we know, and not less', () => {
    expect(taskSchema.parse({ ...task, colour: 'red' })).not.toHaveProperty('colour');
    const { state, ...rest } = task;
    expect(state).toBe('running');
    expect(taskSchema.safeParse(rest).success).toBe(false);
    expect(taskSchema.safeParse({ ...task, state: 'dreaming' }).success).toBe(false);
  });

  it('allows a command that is a list of arguments', () => {
    const parsed = taskSchema.parse({ ...task, command: ['python', 'train.py'] });
    expect(commandLine(parsed)).toBe('python train.py');
  });
});
