import { describe, test } from 'bun:test';
import { playgroundFiles, playgroundSecurityPolicy } from '../../src/playground/index.ts';
import { createHarness } from '../server/harness.ts';
import { isBrowserMissing } from './browser.ts';
import { addCommonTests, describePlayground, type PlaygroundServer } from './suite.ts';

/** The real app around a scripted engine, on a free port. */
async function startApp(): Promise<PlaygroundServer> {
  const { request } = createHarness({
    pages: { files: playgroundFiles(), securityPolicy: playgroundSecurityPolicy },
    engine: { answer: () => ' there was a little café 🙂 where everybody liked to read.', roundMs: 5 },
  });
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async ({ url, method, headers, signal, body }) => {
      const text = body ? { body: await new Response(body).text() } : {};
      return request(new URL(url).pathname, { method, headers, signal, ...text });
    },
  });
  return { baseUrl: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
}

if (isBrowserMissing()) {
  describe('the playground on the app', () => test.skip('in Chromium: none is installed', () => {}));
} else describePlayground('the playground on the app', startApp, addCommonTests);
