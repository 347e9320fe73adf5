import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import {
  type FakeCompletionServer,
  SCRIPT_TEXT,
  startFakeCompletionServer,
} from '../fakes/completion-server.ts';
import { isBrowserMissing, launchBrowser } from '../playground/browser.ts';

const PAGE =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><main id="root"></main><script type="module" src="/page.js"></script>';

/** The page as one module, whose example asks the server that serves it. */
async function bundle(): Promise<string> {
  const entrypoints = [fileURLToPath(new URL('react-page.tsx', import.meta.url))];
  const { outputs } = await Bun.build({
    entrypoints,
    target: 'browser',
    define: { 'process.env.NODE_ENV': '"development"' },
  });
  const code = await outputs[0]!.text();
  expect(code).toContain('"http://localhost:3000"');
  return code.replaceAll('"http://localhost:3000"', 'location.origin');
}

const toFile = (contentType: string, text: string) => ({ contentType, body: new TextEncoder().encode(text) });

describe.skipIf(isBrowserMissing())('useCompletion() in Chromium', () => {
  let server: FakeCompletionServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    const files = new Map([
      ['/', toFile('text/html', PAGE)],
      ['/page.js', toFile('text/javascript', await bundle())],
    ]);
    server = await startFakeCompletionServer(files, "default-src 'self' data:");
    browser = await launchBrowser();
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load'))
        problems.push(message.text());
    });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  }, 30_000);

  beforeEach(async () => {
    problems.length = 0;
    server.requests.length = 0;
    Object.assign(server.behaviour, { isLoading: false, chunkDelayMs: 10, failAtChunk: -1 });
    await page.goto(server.baseUrl);
  });

  const story = () => page.locator('article p').first().textContent();
  const isBusy = (value: boolean) => page.locator(`article[aria-busy="${value}"]`).waitFor();

  async function untilAborted(index: number): Promise<void> {
    for (let i = 0; i < 200 && !server.requests[index]?.isAborted; i++) await Bun.sleep(5);
    expect(server.requests[index]?.isAborted).toBe(true);
  }

  test("the README's component streams a story", async () => {
    await page.getByText('Tell').click();
    await isBusy(true);
    await isBusy(false);
    expect(await story()).toBe(`Once${SCRIPT_TEXT}`);
    expect(server.requests).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  test('stop() ends the request and keeps what came', async () => {
    server.behaviour.chunkDelayMs = 50;
    await page.getByText('Tell').click();
    await page.getByText('Once, there').waitFor();
    await page.getByText('Stop').click();
    await isBusy(false);
    await untilAborted(0);
    expect(await story()).toStartWith('Once, there');
    expect((await story())!.length).toBeLessThan(SCRIPT_TEXT.length);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('an error is shown', async () => {
    server.behaviour.failAtChunk = 2;
    await page.getByText('Tell').click();
    expect(await page.getByRole('alert').textContent()).toContain('The engine stopped.');
    expect(problems).toEqual([]);
  });

  test('an answer ends with its component', async () => {
    server.behaviour.chunkDelayMs = 100;
    await page.getByText('Tell').click();
    await page.getByText('Once, there').waitFor();
    await page.evaluate(() => dispatchEvent(new Event('unmount')));
    await untilAborted(0);
    expect(problems).toEqual([]);
  });

  test('of two answers the second one is shown', async () => {
    await page.getByText('Twice').click();
    await page.locator('output', { hasText: 'done' }).waitFor();
    expect(await page.locator('output').textContent()).toBe(`done: ${SCRIPT_TEXT}`);
    const prompts = server.requests.map(({ body }) => body.prompt);
    expect(prompts.at(-1)).toBe('second');
    expect(problems).toEqual([]);
  });
});
