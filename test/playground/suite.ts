import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'bun:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from './browser.ts';

/** A running server that serves the playground. */
export interface PlaygroundServer {
  readonly baseUrl: string;
  close(): Promise<void>;
}

/** What the suite's tests share; `page` is new for each. */
export interface PlaygroundTest {
  page: Page;
  server: PlaygroundServer;
}

const TIMEOUT_MS = 30_000;

/** Text of the last answer. */
export async function readAnswer(page: Page): Promise<string> {
  return (await page.locator('#story .answer').last().textContent()) ?? '';
}

/** Types a prompt and presses Enter. */
export async function typePrompt(page: Page, prompt: string): Promise<void> {
  await page.locator('#prompt').fill(prompt);
  await page.keyboard.press('Enter');
}

/** Waits until the server is seen as ready. */
export async function waitUntilReady(page: Page): Promise<void> {
  await page.locator('#server[data-state="ready"]').waitFor();
}

/** Goes to a view by its link. */
export async function goTo(page: Page, view: 'Chat' | 'Race' | 'Plan'): Promise<void> {
  await page.getByRole('link', { name: view }).click();
  await page.locator(`#${view.toLowerCase()}-view`).waitFor();
}

/** Waits until a text is complete. */
export async function waitUntilDone(page: Page): Promise<void> {
  await page.locator('#story[aria-busy="false"]').waitFor();
}

/**
 * Starts a browser and a server around a group of tests. `addTests` gets the object that holds the page of the running
 * test; a page error or a message of the console that the test does not expect fails it.
 */
export function describePlayground(
  name: string,
  startServer: () => Promise<PlaygroundServer>,
  addTests: (run: PlaygroundTest) => void,
): void {
  describe(name, () => {
    let browser: Browser;
    let context: BrowserContext;
    const run: Partial<PlaygroundTest> = {};
    const problems: string[] = [];
    beforeAll(async () => {
      browser = await launchBrowser();
      run.server = await startServer();
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      await run.server?.close();
    }, TIMEOUT_MS);
    beforeEach(async () => {
      problems.length = 0;
      context = await browser.newContext({ viewport: { width: 1000, height: 800 } });
      context.setDefaultTimeout(TIMEOUT_MS);
      run.page = await context.newPage();
      run.page.on('pageerror', (error) => problems.push(String(error)));
      run.page.on('console', (message) => {
        // Chromium logs each failed request by itself; those are what some tests are about.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load'))
          problems.push(message.text());
      });
    });
    afterEach(async () => {
      await context?.close();
      expect(problems).toEqual([]);
    });
    // Filled in by beforeAll and beforeEach before any test reads it.
    addTests(run as PlaygroundTest);
  });
}
