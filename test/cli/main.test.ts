import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../../src/cli/commands.ts';
import { VERSION } from '../../src/lib/version.ts';
import { goldenDir } from '../golden/models.ts';
import { hasRuntime, RUNTIMES, runSdfp, SDFP } from './run.ts';

const MODEL = goldenDir('smollm2-tied');
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url));

describe.each(Object.keys(RUNTIMES))('sdfp on %s', (runtime) => {
  const run = test.skipIf(!hasRuntime(runtime));

  run('--help lists every command, without colours', () => {
    const { status, stdout, stderr } = runSdfp(['--help'], runtime);
    expect([status, stderr]).toEqual([0, '']);
    for (const { name, description } of COMMANDS) expect(stdout).toContain(`${name}    ${description}`);
    expect(stdout).not.toContain('\x1b');
  });

  run('COMMAND --help lists flags and their defaults', () => {
    const { status, stdout } = runSdfp(['generate', '--help'], runtime);
    expect(status).toBe(0);
    for (const flag of [
      '--prompt=<TEXT>',
      '--prompt-ids=<1,2,3>',
      '--temperature=<T>',
      '--no-speculation',
      '-h, --help',
      '--json',
    ]) {
      expect(stdout).toContain(flag);
    }
  });

  run('a failure is one line on stderr and a status', () => {
    const cases: [string[], number, RegExp][] = [
      [['inspct'], 2, /^sdfp: unknown command inspct; did you mean inspect\? \(known: build, /],
      [
        ['generate', MODEL, '--promt', 'x'],
        2,
        /^sdfp generate: unknown flag --promt; did you mean --prompt\?\n$/,
      ],
      [
        ['generate', MODEL],
        2,
        /^sdfp generate: found neither, needs exactly one of --prompt and --prompt-ids\n$/,
      ],
      [['inspect', MODEL], 3, /^sdfp inspect: Cannot open .* not baked yet; run sdfp build /],
      [['generate', '/nowhere', '--prompt', 'x'], 3, /^sdfp generate: .*\/nowhere/],
    ];
    for (const [args, status, message] of cases) {
      const found = runSdfp(args, runtime);
      expect(found.stderr).toMatch(message);
      expect([found.status, found.stdout, found.stderr.split('\n').length]).toEqual([status, '', 2]);
    }
  });

  run('generate --json gives ids, text, usage and metrics', () => {
    const args = [
      'generate',
      MODEL,
      '--prompt-ids',
      '5,6,7',
      '--max-tokens',
      '6',
      '--temperature',
      '0',
      '--no-speculation',
      '--json',
    ];
    const { status, stdout } = runSdfp(args, runtime);
    expect(status).toBe(0);
    const answer = JSON.parse(stdout);
    expect(answer.ids).toHaveLength(6);
    expect(answer.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 });
    expect(answer.metrics.speculative_decoding).toMatchObject({
      num_draft_tokens: 0,
      mean_acceptance_length: 1,
    });
  });
});

describe('sdfp', () => {
  test('without arguments shows its help', () => {
    expect(runSdfp([]).stdout).toBe(runSdfp(['--help']).stdout);
  });

  test('--version is that of package.json', async () => {
    const { version } = await Bun.file(PACKAGE).json();
    expect([VERSION, runSdfp(['--version']).stdout]).toEqual([version, `${version}\n`]);
  });

  test('shows stack and causes with SDFP_DEBUG=1', () => {
    const { status, stderr } = runSdfp(['inspect', '/nowhere'], 'bun', { SDFP_DEBUG: '1' });
    expect(status).toBe(3);
    expect(stderr).toContain('open.ts:');
    expect(stderr).toContain('ENOENT');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends at %s with 128 + its number', async (signal) => {
    const args = [
      SDFP,
      'generate',
      'artifacts/stories',
      '--prompt',
      'Once',
      '--max-tokens',
      '500',
      '--ignore-eos',
    ];
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const child = spawn('node', args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.stdout.resume();
    child.kill(signal);
    const [status] = await once(child, 'exit');
    expect(status).toBe(signal === 'SIGINT' ? 130 : 143);
  });

  test('ends quietly when the reader of its pipe goes away', async () => {
    const child = spawn(
      'node',
      [SDFP, 'generate', MODEL, '--prompt-ids', '5', '--max-tokens', '100', '--ignore-eos'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [status] = await once(child, 'exit');
    expect([status, complaint]).toEqual([0, '']);
  });
});
