import { nullTranslator } from '@jupyterlab/translation';

import { TaskError } from '../services/api';
import { AT_ONCE } from '../forms/start';
import { whereOf } from '../forms/where';
import { placeSchema } from '../services/types/places';
import { taskSchema } from '../services/types/tasks';
import { askForNotebook, type IRunNotebook } from '../widgets/dialogs/runnotebook';
import sample from '../../../tests/contract/task.json';

const task = taskSchema.parse(sample);
const trans = nullTranslator.load('jupyter_ptytasks');

/** Lets promises, Lumino's messages and React have their turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

function all<T extends HTMLElement>(selector: string): T[] {
  return [...document.querySelectorAll<T>(`.jp-PtyTasks-dialog ${selector}`)];
}

function type(field: HTMLElement, value: string): void {
  // React keeps its own record of the value, that of the element's class goes past it.
  const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value');
  own?.set?.call(field, value);
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

describe('askForNotebook', () => {
  const start = jest.fn();
  let answer: IRunNotebook | null | undefined;
  const values = () => all<HTMLInputElement>('[name=value]');
  const names = () => all<HTMLInputElement>('[name=parameter]');
  const click = async (label: string) => {
    all('button')
      .find(one => one.textContent === label || one.getAttribute('aria-label') === label)
      ?.click();
    await settle();
  };

  beforeEach(async () => {
    start.mockReset().mockResolvedValue(task);
    answer = undefined;
    void askForNotebook({
      path: 'runs/a.ipynb',
      form: {
        ...AT_ONCE,
        ...whereOf({}),
        output: 'a.executed.ipynb',
        name: 'a.ipynb',
        kernel: '',
        parameters: [{ name: 'lr', value: '1e-3' }]
      },
      kernels: [{ name: 'ir', label: 'R' }],
      queues: [],
      places: [
        placeSchema.parse({ name: 'local' }),
        placeSchema.parse({ name: 'slurm', resources: ['gpus'] })
      ],
      optionsOf: async () => ({ partitions: [], accounts: [], qos: [] }),
      trans,
      start
    }).then(given => {
      answer = given;
    });
    await settle();
  });

  afterEach(async () => {
    await click('Cancel');
  });

  it('starts it with what was changed', async () => {
    expect(names()[0].value).toBe('lr');
    type(values()[0], '0.1');
    await click('Start');
    expect(start.mock.calls[0][0].command).toContain(
      'execute a.ipynb --output a.executed.ipynb -p lr 0.1'
    );
    expect(answer).toEqual({ task, request: start.mock.calls[0][0], openTerminal: true });
  });

  it('runs it at a place that has its files', async () => {
    const [place] = all<HTMLSelectElement>('[name=place]');
    place.value = 'slurm';
    place.dispatchEvent(new Event('change', { bubbles: true }));
    await settle();
    expect(all('[name=start]')).toEqual([]);
    type(all('[name="resources.gpus"]')[0], '1');
    await click('Start');
    expect(start.mock.calls[0][0]).toMatchObject({ place: 'slurm', resources: { gpus: '1' } });
  });

  it('has rows added and left out, and says where one goes on', async () => {
    await click('Add Parameter');
    expect(document.activeElement).toBe(names()[1]);
    type(names()[1], 'epochs');
    type(values()[1], '3');
    await settle();
    await click('Remove lr');
    expect(document.activeElement?.textContent).toBe('Add Parameter');
    await click('Start');
    expect(start.mock.calls[0][0].command).toMatch(/ipynb -p epochs 3$/);
  });

  it('stays with what is wrong, beside the row', async () => {
    type(names()[0], 'l-r');
    await click('Start');
    expect(start).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(names()[0]);
    expect(names()[0].getAttribute('aria-invalid')).toBe('true');
    expect(all('[role=alert]').map(one => one.textContent)).toEqual([
      '“l-r” is not a valid variable name.'
    ]);
    type(names()[0], 'lr');
    await settle();
    expect(all('[role=alert]')).toEqual([]);
  });

  it('queues it in a new group', async () => {
    const [choice] = all<HTMLSelectElement>('[name=start]');
    choice.value = 'new';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    await settle();
    await click('Start');
    expect(all('[role=alert]')[0].textContent).toBe('Enter a name for the new group.');
    type(all<HTMLInputElement>('[name=newGroup]')[0], 'night');
    await click('Start');
    expect(start.mock.calls[0]).toMatchObject([{ group: 'night' }, { name: 'night', slots: 1 }]);
  });

  it('gives it GPUs when it is queued', async () => {
    const [choice] = all<HTMLSelectElement>('[name=start]');
    choice.value = 'held';
    choice.dispatchEvent(new Event('change', { bubbles: true }));
    await settle();
    type(all('[name=gpus]')[0], 'one');
    await click('Start');
    expect(all('[role=alert]')[0].textContent).toBe(
      'Enter a whole number, or a share of a GPU such as 0.5.'
    );
    type(all('[name=gpus]')[0], '2');
    await click('Start');
    expect(start.mock.calls[0][0]).toMatchObject({ hold: true, gpus: 2 });
  });

  it('shows what the server refuses', async () => {
    start.mockRejectedValue(new TaskError('no room', 429, 'too_many_tasks'));
    await click('Start');
    expect(all('[role=alert]')[0].textContent).toBe('no room');
    expect(answer).toBeUndefined();
  });

  it('gives nothing where the user thinks better of it', async () => {
    await click('Cancel');
    expect(answer).toBeNull();
  });
});
