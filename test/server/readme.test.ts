import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bakeStories } from '../fakes/baked-artifact.ts';
import { locateRuntime } from '../runtimes/locate.ts';
import { ROOT, runFile, startFile } from '../runtimes/processes.ts';
import { createHarness } from './harness.ts';

const README = await Bun.file(join(ROOT, 'README.md')).text();

/** The code block of that language which holds `mark`. */
function sample(language: string, mark: string): string {
  const blocks = [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code]) => code!,
  );
  const block = blocks.find((code) => code.includes(mark));
  if (block === undefined) throw new Error(`README.md has no ${language} block with ${mark}.`);
  return block;
}

describe("the README's server", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sdfp-readme-'));
    await bakeStories(join(folder, 'artifacts/mine'));
    // The names of the package stand for its sources, as they do once it is compiled and installed.
    const compilerOptions = {
      noEmit: true,
      paths: { sdfp: [join(ROOT, 'src/index.ts')] },
      typeRoots: [join(ROOT, 'node_modules/@types')],
    };
    const config = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['*.ts'] };
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    await writeFile(
      join(folder, 'sample.ts'),
      sample('ts', "from 'sdfp';").replace('port: 3000', "port: 0, host: '127.0.0.1'"),
    );
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('compiles', async () => {
    const tsc = { name: 'node', command: ['node'] } as const;
    await runFile(tsc, join(ROOT, 'node_modules/typescript/bin/tsc'), ['-p', folder]);
  }, 60_000);

  test('serves until SIGTERM', async () => {
    await using server = startFile(locateRuntime('bun'), join(folder, 'sample.ts'), [], { cwd: folder });
    const [, port] = await server.find(/^listening on http:\/\/[\w.]+:(\d+)$/m);
    const body = JSON.stringify({ prompt: 'Once', max_tokens: 2 });
    const answer = await fetch(`http://127.0.0.1:${port}/v1/completions`, { method: 'POST', body });
    expect((await answer.json()).usage.completion_tokens).toBe(2);
    server.kill('SIGTERM');
    expect((await server.finished).status).toBe(0);
  }, 60_000);
});

test("the README's stream is what the server sends", async () => {
  const lines = sample('console', 'curl -N').split('\n');
  const begin = lines.indexOf(': ok');
  const { post } = createHarness();
  const stream = await (await post('/v1/completions', { prompt: 'abc', stream: true })).text();
  const sent = stream.split('\n');
  expect(lines.slice(begin, begin + 2)).toEqual(sent.slice(0, 2));
  const keys = (line: string | undefined) => {
    const chunk = JSON.parse(line!.replace(/^data: /, ''));
    return [Object.keys(chunk), Object.keys(chunk.choices[0])];
  };
  expect(keys(lines[begin + 2])).toEqual(keys(sent[2]));
  expect(lines.filter((line) => line !== '').at(-1)).toBe(sent.filter((line) => line !== '').at(-1)!);
});
