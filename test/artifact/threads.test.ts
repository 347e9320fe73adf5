import { describe, expect, test } from 'bun:test';
import {
  chooseThreads,
  describeMeasuredThreads,
  describeThreads,
  type MeasuredThreads,
} from '../../src/artifact/index.ts';
import { exampleContent } from './example.ts';

const measured = exampleContent.measured!;
const here = { cpu: 'A processor', cores: 2, defaultThreads: undefined };
const use = { threads: undefined, draft: 'drop-1', provider: undefined };

const notCompared: MeasuredThreads = { chosen: null, skipped: 'the process has one core', counts: [] };
const noneFaster: MeasuredThreads = { ...measured.threads, chosen: null };
const BY = 'by measurements on a machine with this processor';

describe('chooseThreads()', () => {
  test.each([undefined, 'cpu'])('takes what was fastest on this processor, provider %p', (provider) => {
    const choice = chooseThreads({ measured }, { ...use, provider }, here);
    expect(choice).toEqual({ threads: 2, reason: `the fastest, ${BY}` });
    expect(describeThreads(choice)).toBe(`2 threads (the fastest, ${BY})`);
  });

  test('what somebody has set goes first', () => {
    const choice = chooseThreads({ measured }, { ...use, threads: 1 }, here);
    expect([choice.threads, describeThreads(choice)]).toEqual([1, '1 thread (as set)']);
  });

  test.each([
    [
      { ...here, cores: 4 },
      use,
      measured,
      'measured on A processor with 2 cores, this is A processor with 4 cores',
    ],
    [
      { ...here, cpu: 'Another', cores: 1 },
      use,
      measured,
      'measured on A processor with 2 cores, this is Another with 1 core',
    ],
    [here, use, null, 'nothing was measured'],
    [here, use, { ...measured, threads: notCompared }, 'not compared: the process has one core'],
    [here, use, { ...measured, threads: noneFaster }, `no other count was clearly faster, ${BY}`],
    [here, { ...use, provider: 'cuda' }, measured, 'measured on the CPU, the session is on cuda'],
    [
      here,
      { ...use, draft: 'drop-2' },
      measured,
      'measured with the draft drop-1, the session is with the draft drop-2',
    ],
    [
      here,
      { ...use, draft: null },
      measured,
      'measured with the draft drop-1, the session is without a draft',
    ],
  ])(
    'the default is taken where nothing else was found for the session: case %#',
    (machine, session, facts, reason) => {
      const choice = chooseThreads({ measured: facts }, session, machine);
      expect(choice).toEqual({ threads: undefined, reason });
      expect(describeThreads(choice)).toBe(`threads as ONNX Runtime chooses (${reason})`);
    },
  );

  test('applies what was measured without a draft to a session without one', () => {
    const facts = { ...measured, servedDraft: null };
    expect(chooseThreads({ measured: facts }, { ...use, draft: null }, here).threads).toBe(2);
    expect(chooseThreads({ measured: facts }, use, here).threads).toBeUndefined();
  });

  test('names the default of a process that may not use all cores', () => {
    const choice = chooseThreads({ measured: null }, use, { ...here, defaultThreads: 2 });
    expect(describeThreads(choice)).toBe(
      '2 threads (one per core that the process may use; nothing was measured)',
    );
  });
});

describe('describeMeasuredThreads()', () => {
  test.each([
    [measured.threads, '2 (the fastest); compared: default 500, 2 550'],
    [noneFaster, 'default (no other count was clearly faster); compared: default 500, 2 550'],
    [notCompared, 'default (not compared: the process has one core)'],
  ])('%#', (threads, wanted) => {
    expect(describeMeasuredThreads(threads, (name, speed) => `${name} ${speed}`)).toBe(wanted);
  });
});
