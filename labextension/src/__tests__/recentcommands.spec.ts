import { StateDB } from '@jupyterlab/statedb';

import { RecentCommands } from '../services/recentcommands';

describe('RecentCommands', () => {
  it('keeps each command once, the newest first', async () => {
    const history = new RecentCommands(new StateDB());
    for (const command of ['a', 'b', 'a']) {
      await history.add(command);
    }
    expect((await history.load()).commands).toEqual(['a', 'b']);
  });

  it('is read by the next page', async () => {
    const state = new StateDB();
    const before = new RecentCommands(state);
    await before.add('make');
    await before.setOpenTerminal(false);
    expect(await new RecentCommands(state).load()).toEqual({
      commands: ['make'],
      openTerminal: false
    });
  });

  it('keeps where the last task was started, and what it last asked for', async () => {
    const state = new StateDB();
    const before = new RecentCommands(state);
    await before.setWhere({ place: 'slurm', resources: { cpus: 4, memory: '8G' } });
    await before.add('make');
    const { where } = await new RecentCommands(state).load();
    expect(where).toEqual({ place: 'slurm', resources: { cpus: 4, memory: '8G' } });
    await before.setWhere({ command: 'make' });
    const after = await new RecentCommands(state).load();
    expect(after.where).toEqual({ place: 'local', resources: { cpus: 4, memory: '8G' } });
  });

  it('does not grow without end', async () => {
    const history = new RecentCommands(null);
    for (let number = 0; number < 60; number++) {
      await history.add(`${number}`);
    }
    const { commands } = await history.load();
    expect(commands).toHaveLength(50);
    expect(commands[0]).toBe('59');
  });

  it.each([undefined, null, 7, 'x', { commands: 7, openTerminal: 'x' }])(
    'begins anew where the database holds %p',
    async value => {
      const state = new StateDB();
      if (value !== undefined) {
        await state.save('jupyter-ptytasks:history', value);
      }
      expect(await new RecentCommands(state).load()).toEqual({ commands: [], openTerminal: true });
    }
  );

  it('does without a database that fails', async () => {
    const state = new StateDB();
    jest.spyOn(state, 'fetch').mockRejectedValue(new Error('no'));
    expect((await new RecentCommands(state).load()).commands).toEqual([]);
  });
});
