import { describe, expect, test } from 'bun:test';
import { chooseThreads, describeThreads } from '../../src/artifact/index.ts';
import { exampleContent } from './example.ts';

const measured = exampleContent.measured!;
const here = { cpu: 'A processor', cores: 2 };

describe('chooseThreads()', () => {
  test('takes what was fastest on this machine', () => {
    const choice = chooseThreads({ measured }, undefined, here);
    expect(describeThreads(choice)).toBe('2 threads (fastest when measured on this machine)');
    expect(choice.threads).toBe(2);
  });

  test('what somebody has set goes first', () => {
    const choice = chooseThreads({ measured }, 1, here);
    expect([choice.threads, describeThreads(choice)]).toEqual([1, '1 thread (as set)']);
  });

  const skipped = { chosen: null, skipped: 'the process has one core', counts: [] };
  test.each([
    [
      { cpu: 'A processor', cores: 4 },
      measured,
      'measured on A processor with 2 cores, this is A processor with 4 cores',
    ],
    [
      { cpu: 'Another', cores: 1 },
      measured,
      'measured on A processor with 2 cores, this is Another with 1 core',
    ],
    [here, null, 'nothing was measured'],
    [here, { ...measured, threads: skipped }, 'the process has one core'],
    [here, { ...measured, threads: { ...skipped, skipped: null } }, 'fastest when measured on this machine'],
  ])('on %p the runtime chooses: %#', (machine, facts, reason) => {
    const choice = chooseThreads({ measured: facts }, undefined, machine);
    expect(choice).toEqual({ threads: undefined, reason });
    expect(describeThreads(choice)).toBe(`threads as ONNX Runtime chooses (${reason})`);
  });
});
