import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
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

/** Text of the story after the prompt. */
export async function readStory(page: Page): Promise<string> {
  return await page.locator('#story').evaluate((story) => {
    const given = story.querySelector('.given')?.textContent ?? '';
    return (story.textContent ?? '').slice(given.length);
  });
}

/** Types a prompt and presses Enter. */
export async function typePrompt(page: Page, prompt: string): Promise<void> {
  await page.getByLabel('How does it begin?').fill(prompt);
  await page.keyboard.press('Enter');
}

/** Waits until the server is seen as ready. */
export async function waitUntilReady(page: Page): Promise<void> {
  await page.locator('#server[data-state="ready"]').waitFor();
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

/** Tests that hold for every server that serves the playground. */
export function addCommonTests(run: PlaygroundTest): void {
  const open = async (): Promise<Page> => {
    await run.page.goto(run.server.baseUrl);
    await waitUntilReady(run.page);
    return run.page;
  };

  test(
    'is small and loads nothing from elsewhere',
    async () => {
      const urls: string[] = [];
      const bodies: Promise<Buffer>[] = [];
      run.page.on('response', (response) => {
        urls.push(response.url());
        if (!response.url().endsWith('/health')) bodies.push(response.body());
      });
      const page = await open();
      await page.waitForLoadState('networkidle');
      const bytes = (await Promise.all(bodies)).reduce((sum, body) => sum + body.byteLength, 0);
      expect(urls.filter((url) => !url.startsWith(`${run.server.baseUrl}/`))).toEqual([]);
      expect(bytes).toBeGreaterThan(1000);
      expect(bytes).toBeLessThan(100_000);
    },
    TIMEOUT_MS,
  );

  test(
    'a prompt and Enter make a story, with figures',
    async () => {
      const page = await open();
      await page.getByLabel('Max tokens').fill('40');
      await page.getByLabel('Seed').fill('1');
      await typePrompt(page, 'Once upon a time');
      await waitUntilDone(page);
      expect(await page.locator('#story .given').textContent()).toBe('Once upon a time');
      expect((await readStory(page)).length).toBeGreaterThan(10);
      expect(await page.locator('#ttft').textContent()).toMatch(/^\d+ ms$/);
      expect(await page.locator('#rate').textContent()).toMatch(/^\d+(\.\d)?$/);
      expect(await page.locator('#share').textContent()).toMatch(/^\d+ %$/);
      expect(await page.locator('#progress').textContent()).toMatch(/^The text .* after \d+ tokens\.$/);
      expect(await page.locator('#error').textContent()).toBe('');
    },
    TIMEOUT_MS,
  );

  test(
    'tokens of the draft and of the target differ in colour and in line',
    async () => {
      const page = await open();
      // Fixed, since a server that chooses by itself may choose no draft at all.
      await page.route('**/v1/completions', (route) =>
        route.continue({
          postData: { ...route.request().postDataJSON(), speculative: { enabled: true, draft_tokens: 3 } },
        }),
      );
      await page.getByLabel('Seed').fill('1');
      await page.getByRole('button', { name: 'Write on' }).click();
      await waitUntilDone(page);
      const styleOf = (origin: string) =>
        page
          .locator(`#story .token.${origin}`)
          .first()
          .evaluate((element) => {
            const { color, textDecorationLine } = getComputedStyle(element);
            return { color, textDecorationLine };
          });
      const [draft, target] = [await styleOf('draft'), await styleOf('target')];
      expect(draft.textDecorationLine).toBe('underline');
      expect(target.textDecorationLine).toBe('none');
      expect(draft.color).not.toBe(target.color);
      const legend = await page.locator('#legend').textContent();
      expect(legend).toContain('guessed by the draft');
      expect(legend).toContain('found earlier in the text');
      expect(legend).toContain('the target’s own');
    },
    TIMEOUT_MS,
  );

  test(
    'the server is down, then back',
    async () => {
      const page = await open();
      await page.context().setOffline(true);
      await typePrompt(page, 'Once');
      await page.getByRole('alert').filter({ hasText: 'connection to the server was lost' }).waitFor();
      await page.locator('#server[data-state="down"]').waitFor();
      expect(await page.getByRole('button', { name: 'Write on' }).getAttribute('aria-disabled')).toBe('true');
      await page.context().setOffline(false);
      await waitUntilReady(page);
      await page.getByLabel('Max tokens').fill('20');
      await typePrompt(page, 'Once');
      await waitUntilDone(page);
      expect((await readStory(page)).length).toBeGreaterThan(0);
      expect(await page.locator('#error').textContent()).toBe('');
    },
    TIMEOUT_MS,
  );

  test(
    'waits while the model is loading',
    async () => {
      const { page } = run;
      let polls = 0;
      await page.route('**/health', (route) =>
        ++polls > 2 ? route.continue() : route.fulfill({ status: 503, json: { state: 'loading' } }),
      );
      await page.goto(run.server.baseUrl);
      await page.getByText('The model is loading…').waitFor();
      await typePrompt(page, 'too early');
      expect(await page.locator('#answer').isVisible()).toBe(false);
      await waitUntilReady(page);
      expect(polls).toBe(3);
    },
    TIMEOUT_MS,
  );

  test(
    'works on a slow network',
    async () => {
      const { page } = run;
      const devtools = await page.context().newCDPSession(page);
      const slow = { offline: false, latency: 300, downloadThroughput: 20_000, uploadThroughput: 10_000 };
      await devtools.send('Network.emulateNetworkConditions', slow);
      await page.goto(run.server.baseUrl);
      await waitUntilReady(page);
      await page.getByLabel('Max tokens').fill('20');
      await typePrompt(page, 'Once');
      await waitUntilDone(page);
      expect((await readStory(page)).length).toBeGreaterThan(0);
      expect(Number.parseInt((await page.locator('#ttft').textContent()) ?? '', 10)).toBeGreaterThan(250);
    },
    TIMEOUT_MS,
  );

  test(
    'everything can be reached by keyboard and has a name',
    async () => {
      const page = await open();
      await page.getByLabel('How does it begin?').focus();
      const reached: string[] = ['prompt'];
      for (let i = 0; i < 6; i++) {
        await page.keyboard.press('Tab');
        reached.push(await page.evaluate(() => document.activeElement?.id ?? ''));
      }
      expect(reached).toEqual([
        'prompt',
        'write',
        'temperature',
        'max-tokens',
        'seed',
        'mode',
        'speculation',
      ]);
      for (const id of reached) {
        const { name } = await nameOf(page, id);
        expect(name.length).toBeGreaterThan(2);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'fits a phone',
    async () => {
      const page = await open();
      await page.setViewportSize({ width: 360, height: 640 });
      await typePrompt(page, 'Once');
      await waitUntilDone(page);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBe(360);
      const button = await page.getByRole('button', { name: 'Write on' }).boundingBox();
      expect(button?.height).toBeGreaterThanOrEqual(44);
    },
    TIMEOUT_MS,
  );

  for (const colorScheme of ['light', 'dark'] as const) {
    test(
      `text has enough contrast in ${colorScheme}`,
      async () => {
        await run.page.emulateMedia({ colorScheme });
        const page = await open();
        for (const [name, ratio] of Object.entries(await contrasts(page))) {
          expect({ name, isEnough: ratio >= 4.5 }).toEqual({ name, isEnough: true });
        }
      },
      TIMEOUT_MS,
    );
  }
}

/** Name that Chromium computes for a screen reader. */
async function nameOf(page: Page, id: string): Promise<{ name: string }> {
  const devtools = await page.context().newCDPSession(page);
  const { root } = await devtools.send('DOM.getDocument');
  const { nodeId } = await devtools.send('DOM.querySelector', { nodeId: root.nodeId, selector: `#${id}` });
  const { nodes } = await devtools.send('Accessibility.getPartialAXTree', { nodeId, fetchRelatives: false });
  return { name: String(nodes[0]?.name?.value ?? '') };
}

/** WCAG 2.2 contrast of each text colour against the paper. */
async function contrasts(page: Page): Promise<Record<string, number>> {
  return await page.evaluate(() => {
    const style = getComputedStyle(document.documentElement);
    const luminance = (name: string): number => {
      const hex = style.getPropertyValue(name).trim();
      const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
        const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = luminance('--paper');
    const names = ['--ink', '--faint', '--draft', '--lookup', '--target', '--error'];
    return Object.fromEntries(
      names.map((name) => {
        const [dark = 0, light = 0] = [paper, luminance(name)].sort((a, b) => a - b);
        return [name, (light + 0.05) / (dark + 0.05)];
      }),
    );
  });
}
