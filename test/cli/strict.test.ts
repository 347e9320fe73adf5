import { describe, expect, test } from 'bun:test';
import { defineCommand } from '../../src/cli/command.ts';
import { refuseLooseArguments, wantsHelp } from '../../src/cli/strict.ts';
import { createTerminal } from '../../src/cli/terminal.ts';

const args = {
  dir: { type: 'positional', required: true },
  out: { type: 'string' },
  'top-k': { type: 'string' },
  mode: { type: 'enum', options: ['fast', 'full'] },
  speculation: { type: 'boolean', default: true },
  json: { type: 'boolean' },
} as const;
const argsDef = { ...args, mode: { ...args.mode, options: [...args.mode.options] } };

describe('refuseLooseArguments()', () => {
  const fine = [
    [],
    ['dir', '--out', 'x', '--json'],
    ['--out=--json', 'dir'],
    ['dir', '--out', '-1.5'],
    ['dir', '--no-speculation'],
    ['dir', '--json=false'],
    ['--', '--odd-name'],
  ];
  test.each(fine.map((rawArgs) => [rawArgs]))('takes %j', (rawArgs) => {
    expect(() => refuseLooseArguments(rawArgs, argsDef)).not.toThrow();
  });

  const loose: [string[], RegExp][] = [
    [['dir', '--ot', 'x'], /unknown flag --ot; did you mean --out\?/],
    [['dir', '--topK', '3'], /unknown flag --topK; did you mean --top-k\?/],
    [['dir', '--no-json'], /unknown flag --no-json/],
    [['dir', '--no-speculations'], /did you mean --no-speculation\?/],
    [['dir', '--completely-else'], /unknown flag --completely-else$/],
    [['dir', '-x'], /unknown flag -x/],
    [['dir', '--__proto__', '1'], /unknown flag --__proto__/],
    [['dir', '--dir', 'other'], /unknown flag --dir/],
    [['dir', '--out'], /--out needs a value/],
    [['dir', '--out='], /--out needs a value/],
    [['dir', '--out', '--json'], /--out needs a value, found the flag --json/],
    [['dir', '--json=maybe'], /--json takes no value, found "maybe"/],
    [['dir', '--no-speculation=true'], /takes no value/],
    [['dir', 'other'], /found the argument "other" after the last one/],
  ];
  test.each(loose)('refuses %j', (rawArgs, message) => {
    expect(() => refuseLooseArguments(rawArgs, argsDef)).toThrow(message);
  });
});

test('wantsHelp() knows the flag from a value', () => {
  expect(wantsHelp(['dir', '-h'], argsDef)).toBe(true);
  expect(wantsHelp(['--help'], argsDef)).toBe(true);
  expect(wantsHelp(['--out', '-h'], argsDef)).toBe(false);
  expect(wantsHelp(['--', '--help'], argsDef)).toBe(false);
});

describe('defineCommand()', () => {
  const silent = { write: () => true };
  const terminal = createTerminal({ stdout: silent, stderr: silent, environment: {} });
  const context = { signal: new AbortController().signal, terminal };
  const run = async (rawArgs: string[]): Promise<unknown> => {
    let seen: unknown;
    const command = defineCommand({
      args: argsDef,
      async run(parsed) {
        seen = { ...parsed };
      },
    });
    await command.run(rawArgs, context);
    return seen;
  };

  test('gives typed values', async () => {
    expect(await run(['d', '--top-k', '-3', '--mode', 'full', '--no-speculation'])).toMatchObject({
      dir: 'd',
      'top-k': '-3',
      mode: 'full',
      speculation: false,
    });
    expect(await run(['d'])).toMatchObject({ speculation: true });
  });

  test('a missing argument and a value that is not on the list are wrong requests', async () => {
    await expect(run([])).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('DIR'),
    });
    await expect(run(['d', '--mode', 'slow'])).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('fast, full'),
    });
  });
});
