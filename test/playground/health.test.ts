import { expect, test } from 'bun:test';
import { watchHealth } from '../../src/playground/health.ts';

test('watchHealth() tells loading, restarting and down until the server is ready', async () => {
  const answers = [
    { status: 503, body: { state: 'loading' } },
    { status: 503, body: { state: 'restarting', model: 'm', provider: 'cpu' } },
    { status: 503, body: { state: 'failed' } },
    { status: 200, body: { state: 'ready', model: 'm', provider: 'cpu' } },
  ];
  const server = Bun.serve({
    port: 0,
    fetch: () => {
      const { status, body } = answers.shift()!;
      return Response.json(body, { status });
    },
  });
  const seen: string[][] = [];
  await watchHealth(server.url, { show: (...words) => seen.push(words) })();
  await server.stop(true);
  expect(seen).toEqual([
    ['loading', 'The model is loading…'],
    ['restarting', 'The model crashed and is loaded again…'],
    ['down', 'The server is not ready: failed.'],
    ['ready', 'm on cpu'],
  ]);
}, 10_000);
