/** The tables in tests/contract: the tests in Python hold the server and the command line to the same ones. */

import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';

import { nullTranslator } from '@jupyterlab/translation';

import { bytes, percent, usageLabel } from '../format/measures';
import { duration, stateLabel } from '../format/times';
import { reasonOf } from '../format/why';
import { parseDuration } from '../forms/requests';
import { withoutReplies } from '../services/protocol';
import {
  STATES,
  isActive,
  isEnded,
  isPending,
  wentWrong,
  type State
} from '../services/types/states';
import { STATE_ORDER } from '../widgets/panel/filter';
import { stateIcon } from '../widgets/state';
import format from '../../../tests/contract/format.json';
import replies from '../../../tests/contract/replies.json';
import states from '../../../tests/contract/states.json';

const trans = nullTranslator.load('jupyter_ptytasks');

describe('states.json', () => {
  it('lists all states', () => {
    expect(states.map(({ state }) => state)).toEqual([...STATES]);
    expect([...STATE_ORDER].sort()).toEqual([...STATES].sort());
  });

  it.each(states.map(entry => [entry.state as State, entry] as const))('%s', (state, entry) => {
    const phases = { pending: isPending, active: isActive, ended: isEnded };
    const found = Object.entries(phases).filter(([, isIn]) => isIn({ state }));
    expect(found.map(([phase]) => phase)).toEqual([entry.phase]);
    expect(wentWrong({ state })).toBe(entry.wrong);
    expect(stateLabel(state, trans)).toBe(entry.label);
    expect(stateIcon(state).name).toBe(entry.icon);
  });

  it('names the states that the style sheets use', () => {
    const style = join(__dirname, '../../style');
    const sheets = readdirSync(style).filter(name => name.endsWith('.css'));
    const text = sheets.map(name => readFileSync(join(style, name), 'utf-8')).join('\n');
    const used = [...text.matchAll(/\[data-state='(\w+)'\]/g)].map(([, state]) => state);
    expect(used).toContain('running');
    expect(STATES).toEqual(expect.arrayContaining(used));
  });
});

describe('format.json', () => {
  it.each(format.durations)('$seconds seconds are $text', ({ seconds, text }) => {
    expect(duration(seconds * 1000)).toBe(text);
  });

  it.each(format.sizes)('$bytes bytes are $text', entry => {
    expect(bytes(entry.bytes)).toBe(entry.text);
  });

  it.each(format.percents)('$fraction is $percent %', entry => {
    expect(percent({ fraction: entry.fraction })).toBe(entry.percent);
  });

  it.each(format.loads)('a load of $percents is $text', ({ percents, text }) => {
    const none = { rss: null, gpu_memory: null, gpu_load: null };
    expect(usageLabel({ ...none, cpu: percents }, trans)).toBe(text);
  });

  it.each(format.reasons)('“$message” tells “$text”', ({ message, text }) => {
    expect(reasonOf({ state: 'failed', state_message: message })).toBe(text);
    expect(reasonOf({ state: 'running', state_message: message })).toBe('');
  });

  it.each(format.inputs)('“$text” is read as $seconds', ({ text, seconds }) => {
    const read = parseDuration(text);
    expect(read).toEqual(seconds === null ? null : expect.closeTo(seconds, 9));
  });
});

describe('replies.json', () => {
  it.each(replies.inputs)('$what', entry => {
    expect(withoutReplies(entry.typed + entry.replies)).toBe(entry.typed);
  });

  it('knows what the server answers in place of a terminal', () => {
    for (const { answer } of replies.answers) {
      expect(withoutReplies(answer)).toBe('');
    }
  });

  it('leaves what is typed among replies', () => {
    expect(withoutReplies('l\x1b[?1;2cs\x1b[0n\r')).toBe('ls\r');
  });
});
