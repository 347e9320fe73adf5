import { describe, expect, test } from 'bun:test';
import { createRandom } from '../text/random.ts';
import { locateRuntime, mustSkip, type RuntimeName } from './locate.ts';
import { runFile, startFile, waitUntilReady } from './processes.ts';

const SDFP = 'src/cli/sdfp.mjs';
const ARTIFACT = 'artifacts/stories';
/** Deno may have to come from npm first; starting a runtime and loading the model take a second or two. */
const TIMEOUT_MS = 120_000;

const RUNTIMES = (['bun', 'deno', 'node'] as const).filter((name) => !mustSkip(name));

interface StreamSummary {
  readonly runtime: string;
  readonly texts: number;
  readonly text: string;
  readonly finishReason: string;
  readonly usage: { readonly completion_tokens: number };
}

/** `sdfp` itself reads TypeScript in Node, so it starts without a loader, as a user starts it. */
function locateForSdfp(name: RuntimeName) {
  const runtime = locateRuntime(name);
  return name === 'node' ? { ...runtime, command: ['node'] as const } : runtime;
}

/** Letters without order: the slowest text for a tokenizer. */
function letters(count: number): string {
  const random = createRandom(1);
  return Array.from({ length: count }, () => String.fromCharCode(97 + random(26))).join('');
}

async function generate(name: RuntimeName): Promise<{ ids: number[]; text: string }> {
  const sampling = [
    '--prompt',
    'Once upon a time',
    '--max-tokens',
    '24',
    '--temperature',
    '0.8',
    '--seed',
    '7',
  ];
  const stdout = await runFile(locateForSdfp(name), SDFP, ['generate', ARTIFACT, ...sampling, '--json']);
  return JSON.parse(stdout);
}

async function readStream(name: RuntimeName, baseUrl: string): Promise<StreamSummary> {
  return JSON.parse(await runFile(locateRuntime(name), 'test/runtimes/read-stream.ts', [baseUrl]));
}

describe('sdfp generate', () => {
  const reference = generate('bun');
  test.each(RUNTIMES)(
    'gives the same ids in %s',
    async (name) => {
      const { ids, text } = await generate(name);
      expect(ids).toHaveLength(24);
      expect({ ids, text }).toEqual({ ids: (await reference).ids, text: (await reference).text });
    },
    TIMEOUT_MS,
  );
});

describe('the server', () => {
  test.each(RUNTIMES)(
    'streams to the client of the same runtime and ends with status 0 on SIGTERM in %s',
    async (name) => {
      await using server = startFile(locateForSdfp(name), SDFP, ['serve', ARTIFACT, '--port', '0']);
      const { baseUrl, provider } = await waitUntilReady(server);
      expect(provider.length).toBeGreaterThan(0);
      const answer = await readStream(name, baseUrl);
      expect(answer).toMatchObject({ runtime: name, finishReason: 'length' });
      expect(answer.usage.completion_tokens).toBe(24);
      expect(answer.texts).toBeGreaterThan(1);
      expect(answer.text.length).toBeGreaterThan(24);
      server.kill('SIGTERM');
      expect((await server.finished).status).toBe(0);
    },
    TIMEOUT_MS,
  );

  test.each(RUNTIMES)(
    'starts from functions/ and ends with status 0 on SIGINT in %s',
    async (name) => {
      const env = { PORT: '0', ARTIFACT };
      await using server = startFile(locateRuntime(name), `functions/${name}.ts`, [], { env });
      const { model } = await waitUntilReady(server);
      expect(model).toContain('stories');
      server.kill('SIGINT');
      expect((await server.finished).status).toBe(0);
    },
    TIMEOUT_MS,
  );

  test.each(RUNTIMES)(
    'encodes long texts in a thread and drops those whose clients are gone in %s',
    async (name) => {
      await using server = startFile(locateForSdfp(name), SDFP, ['serve', ARTIFACT, '--port', '0']);
      const { baseUrl } = await waitUntilReady(server);
      const tokenize = async (prompt: string, signal?: AbortSignal): Promise<number> => {
        const init = { method: 'POST', body: JSON.stringify({ prompt }), ...(signal && { signal }) };
        return (await (await fetch(`${baseUrl}/tokenize`, init)).json()).count;
      };
      const giant = letters(1_000_000);
      expect(await tokenize(letters(10_000))).toBeGreaterThan(1000);
      const startMs = performance.now();
      expect(await tokenize(giant)).toBeGreaterThan(100_000);
      const aloneMs = performance.now() - startMs;
      // Deno 2.9.6 does not tell of clients that leave after a large body.
      if (name === 'deno') return;
      const client = new AbortController();
      const giants = Array.from({ length: 12 }, () => tokenize(giant, client.signal).catch(() => 0));
      await Bun.sleep(100);
      client.abort();
      expect(await Promise.all(giants)).toEqual(giants.map(() => 0));
      const goneMs = performance.now();
      await tokenize(giant);
      expect(performance.now() - goneMs).toBeLessThan(5 * aloneMs);
      server.kill('SIGTERM');
      expect((await server.finished).status).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    'gives the clients of all runtimes the same text for the same seed',
    async () => {
      await using server = startFile(locateForSdfp('bun'), SDFP, ['serve', ARTIFACT, '--port', '0']);
      const { baseUrl } = await waitUntilReady(server);
      const answers = await Promise.all(RUNTIMES.map((name) => readStream(name, baseUrl)));
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    },
    TIMEOUT_MS,
  );
});
