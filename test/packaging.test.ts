import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { locateRuntime, mustSkip, type Runtime, type RuntimeName } from './runtimes/locate.ts';
import { ROOT, runFile, startFile, waitUntilReady } from './runtimes/processes.ts';

const ARTIFACT = join(ROOT, 'artifacts/stories');
const TIMEOUT_MS = 120_000;
const RUNTIMES = (['bun', 'deno', 'node'] as const).filter((name) => !mustSkip(name));

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

const manifest = readJson<PackageFile>(join(ROOT, 'package.json'));

/** The parts of the published package that a program imports; each prints what it got. */
const PROGRAM = `
import { createClient } from 'sdfp/client';
import { createApp } from 'sdfp/server';
import * as all from 'sdfp';
import * as schema from 'sdfp/schema';
console.log(JSON.stringify([typeof createClient, typeof createApp, Object.keys(all).length > 0, Object.keys(schema).length > 0]));
`;

describe('the packed package in a folder of its own', () => {
  let dir = '';
  let sdfp = '';

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'sdfp-packed-'));
    run(process.execPath, ['pm', 'pack', '--destination', dir, '--quiet'], ROOT);
    run('tar', ['-xzf', `${manifest.name}-${manifest.version}.tgz`], dir);
    const target = join(dir, 'node_modules', manifest.name);
    mkdirSync(dirname(target));
    run('mv', ['package', target], dir);
    linkDependencies(join(dir, 'node_modules'));
    writeFileSync(join(dir, 'program.mjs'), PROGRAM);
    const user = { name: 'user', type: 'module', dependencies: { [manifest.name]: manifest.version } };
    writeFileSync(join(dir, 'package.json'), JSON.stringify(user));
    sdfp = join(target, 'src/cli/sdfp.mjs');
  }, TIMEOUT_MS);

  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('holds compiled code only: no sources, tests, models or machine paths', () => {
    const files = readdirSync(join(dir, 'node_modules', manifest.name), { recursive: true }).map(String);
    expect(files).toContain('LICENSE');
    expect(files).toContain(join('dist', 'client', 'index.d.ts'));
    expect(files).toContain(join('dist', 'playground', 'index.html'));
    expect(files.filter((file) => /(?<!\.d)\.ts$|\.test\.|\.safetensors$|with-bun/.test(file))).toEqual([]);
  });

  test.each(RUNTIMES)(
    'is imported by %s',
    async (name) => {
      const output = await runFile(withoutLoader(name), join(dir, 'program.mjs'), [], { cwd: dir });
      expect(JSON.parse(output)).toEqual(['function', 'function', true, true]);
    },
    TIMEOUT_MS,
  );

  test.each(RUNTIMES)(
    'has a command that generates and serves in %s',
    async (name) => {
      const runtime = withoutLoader(name);
      expect(await runFile(runtime, sdfp, ['--help'], { cwd: dir })).toContain('generate');
      const prompt = ['--prompt', 'Once upon a time', '--max-tokens', '4', '--temperature', '0', '--json'];
      const answer = JSON.parse(
        await runFile(runtime, sdfp, ['generate', ARTIFACT, ...prompt], { cwd: dir }),
      );
      expect(answer.ids).toHaveLength(4);
      // Asks for traces without their packages: the server goes on without, and says what is missing.
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
      await using server = startFile(runtime, sdfp, ['serve', ARTIFACT, '--port', '0'], { cwd: dir, env });
      const { baseUrl } = await waitUntilReady(server);
      expect(await (await fetch(baseUrl)).text()).toContain('<html');
      server.kill('SIGTERM');
      const { status, stderr } = await server.finished;
      expect(status).toBe(0);
      expect(stderr).toMatch(
        /no traces are sent: OTEL_EXPORTER_OTLP_ENDPOINT .*@opentelemetry\/sdk-trace-base/,
      );
    },
    TIMEOUT_MS,
  );

  test('says what to do when it serves without an artifact', async () => {
    await using server = startFile(withoutLoader('bun'), sdfp, ['serve', '--port', '0'], { cwd: dir });
    const { status, stderr } = await server.finished;
    expect(status).not.toBe(0);
    expect(stderr).toContain('sdfp build');
  });

  test('has a client that bundles for browsers, without anything of a runtime', async () => {
    const entry = join(dir, 'browser.mjs');
    writeFileSync(entry, "import { createClient } from 'sdfp/client'; globalThis.sdfp = createClient;");
    const { outputs } = await Bun.build({ entrypoints: [entry], target: 'browser', minify: true });
    const code = (await outputs[0]?.text()) ?? '';
    expect(code).toContain('completions');
    expect(code).not.toMatch(/node:|require\(|process\./);
    expect(code.length).toBeLessThan(3_500);
  });
});

describe('deno.json', () => {
  const deno = readJson<{ version: string; exports: object; imports: object }>(join(ROOT, 'deno.json'));

  test('has the version, entries and dependencies of package.json', () => {
    const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
    // Of what users bring along the version that is tested.
    const peers = Object.keys(manifest.peerDependencies).map((name) => [
      name,
      manifest.devDependencies[name],
    ]);
    const dependencies = [...Object.entries(manifest.dependencies), ...peers];
    expect(deno.version).toBe(manifest.version);
    expect(Object.keys(deno.exports)).toEqual(entries);
    expect(deno.imports).toEqual(
      Object.fromEntries(dependencies.map(([name, version]) => [name, `npm:${name}@${version}`])),
    );
  });
});

/** Packages are compiled, so Node needs no loader for TypeScript. */
function withoutLoader(name: RuntimeName): Runtime {
  return name === 'node' ? { ...locateRuntime(name), command: ['node'] } : locateRuntime(name);
}

/** Only what package.json names as a dependency, so that an import of a development tool fails. */
function linkDependencies(modules: string): void {
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
}
