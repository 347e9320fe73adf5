import { expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, EngineEvent, GenerateRequest, TokensEvent } from '../../src/engine/types.ts';
import { createApp, createModelHost } from '../../src/server/index.ts';
import { listen as listenInBun } from '../../src/server/listen/bun.ts';
import { listen as listenInNode } from '../../src/server/listen/node.ts';
import { BYTE_VOCAB_SIZE, createByteCodec } from '../fakes/byte-codec.ts';

const A = 'a'.charCodeAt(0);
/** Tokens of a round, each a letter: so an event has some kB with its ids. */
const ROUND: TokensEvent = {
  type: 'tokens',
  ids: new Array(250).fill(A),
  origins: new Array(250).fill('target'),
  logprobs: undefined,
};

/** An engine that never ends by itself, as fast as its events are taken. */
function createEndlessEngine(): {
  readonly engine: Engine;
  readonly count: { rounds: number; running: number };
} {
  const count = { rounds: 0, running: 0 };
  async function* generate(
    { maxTokens }: GenerateRequest,
    signal?: AbortSignal,
  ): AsyncGenerator<EngineEvent> {
    count.running++;
    try {
      for (let tokens = 0; tokens < maxTokens && signal?.aborted !== true; tokens += ROUND.ids.length) {
        count.rounds++;
        yield ROUND;
        await new Promise(setImmediate);
      }
    } finally {
      count.running--;
    }
  }
  const info = { provider: 'endless', vocabSize: BYTE_VOCAB_SIZE, maxContextTokens: 1e9, hasDraft: false };
  const load = () => ({ running: count.running, waiting: 0 });
  return { engine: { info, generate, load, dispose: async () => {} }, count };
}

function createEndlessApp(engine: Engine) {
  const host = createModelHost();
  const defaults = {
    bosTokenId: undefined,
    eosTokenIds: [],
    temperature: undefined,
    topP: undefined,
    topK: undefined,
    repetitionPenalty: undefined,
  };
  host.ready({ id: 'm', engine, text: createByteCodec(), defaults, createdSeconds: 0 });
  return createApp({ host });
}

/** A client that asks for a stream without end and never reads. */
function openStuckStream(port: number): Promise<Socket> {
  const body = JSON.stringify({ prompt: 'a', max_tokens: 5e8, stream: true, return_token_ids: true });
  const head = `POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.pause();
      socket.write(head + body);
      resolve(socket);
    });
    socket.on('error', reject);
  });
}

test.each([
  ['bun', listenInBun],
  ['node', listenInNode],
] as const)(
  'clients that read nothing stop their own streams and nothing else (%s)',
  async (_, listen) => {
    const { engine, count } = createEndlessEngine();
    const server = await listen({ fetch: createEndlessApp(engine).fetch, host: '127.0.0.1', port: 0 });
    const sockets = await Promise.all(Array.from({ length: 8 }, () => openStuckStream(server.port)));
    // Until the buffers of the system are full: some 2 MB a stream.
    let before = -1;
    for (let i = 0; i < 100 && count.rounds !== before; i++) {
      before = count.rounds;
      await sleep(200);
    }
    expect(count.running).toBe(8);
    expect(count.rounds).toBe(before);
    const memoryBytes = process.memoryUsage().rss;
    const body = JSON.stringify({ prompt: 'a', max_tokens: 5000, stream: true });
    const startedMs = performance.now();
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/completions`, { method: 'POST', body });
    expect(await response.text()).toEndWith('data: [DONE]\n\n');
    expect(performance.now() - startedMs).toBeLessThan(2000);
    await sleep(300);
    expect(process.memoryUsage().rss - memoryBytes).toBeLessThan(32 * 1024 * 1024);
    for (const socket of sockets) socket.destroy();
    for (let i = 0; i < 100 && count.running > 0; i++) await sleep(10);
    expect(count.running).toBe(0);
    server.kill();
  },
  30_000,
);
