import { createServer, type Server } from 'node:http';
import { createHarness, type Harness } from '../server/harness.ts';

/** What the only instance that works says, three letters at a time. */
export const ANSWER = 'What the only instance that works has to say.';

/** Servers of which one works, with the key `inner`. */
export interface Instances extends AsyncDisposable {
  readonly urls: readonly string[];
  readonly working: Harness;
  /** Requests to each of those that do not work. */
  readonly refused: readonly number[];
}

/** One too busy, one cold, one that breaks off before the first byte, one that is down, and one that works. */
export async function startInstances(): Promise<Instances> {
  const working = createHarness({
    apiKeys: ['inner'],
    engine: { answer: () => ANSWER, roundMs: 4 },
    limits: { keepAliveMs: 20 },
  });
  const refused = [0, 0, 0];
  const main = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { method, headers, signal } = request;
      const body = await request.text();
      if (body.includes('too much')) return refusal(429);
      return working.request(new URL(request.url).pathname, { method, headers, body, signal });
    },
  });
  const others = [
    await listen((response) => writeRefusal(response, 429, refused, 0)),
    await listen((response) => writeRefusal(response, 503, refused, 1)),
    await listen((response) => {
      refused[2]!++;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      setTimeout(() => response.destroy(), 5);
    }),
  ];
  return {
    working,
    refused,
    urls: [...others.map(({ url }) => url), 'http://127.0.0.1:1', `http://127.0.0.1:${main.port}/v1`],
    async [Symbol.asyncDispose]() {
      for (const { server } of others) server.close().closeAllConnections();
      await main.stop(true);
    },
  };
}

const ERROR = { error: { message: 'busy', type: 'rate_limit_error', param: null, code: 'engine_busy' } };

function refusal(status: number): Response {
  return Response.json(ERROR, { status, headers: { 'retry-after': '7' } });
}

type ServerResponse = InstanceType<typeof import('node:http').ServerResponse>;

function writeRefusal(response: ServerResponse, status: number, counts: number[], index: number): void {
  counts[index]!++;
  response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' });
  response.end(JSON.stringify(ERROR));
}

async function listen(answer: (response: ServerResponse) => void): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`Listening: found ${address}.`);
  return { server, url: `http://127.0.0.1:${address.port}` };
}
