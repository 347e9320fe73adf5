import { expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import { contrasts, nameOf } from './accessibility.ts';
import { goTo, type PlaygroundTest, readAnswer, typePrompt, waitUntilDone, waitUntilReady } from './suite.ts';

const TIMEOUT_MS = 30_000;

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
      expect(await page.locator('#prompt').inputValue()).toBe('');
      expect((await readAnswer(page)).length).toBeGreaterThan(10);
      expect(await page.locator('#ttft').textContent()).toMatch(/^\d+ ms$/);
      expect(await page.locator('#rate').textContent()).toMatch(/^\d+(\.\d)?$/);
      expect(await page.locator('#pass').textContent()).toMatch(/^\d+\.\d\d$/);
      expect(await page.locator('#progress').textContent()).toMatch(/^The text .* after \d+ tokens\.$/);
      expect(await page.locator('#error').textContent()).toBe('');
    },
    TIMEOUT_MS,
  );

  test(
    'tokens of the draft and of the target differ in colour and in line',
    async () => {
      const page = await open();
      await page.getByLabel('Draft tokens').fill('3'); // a server that chooses by itself may choose no draft at all
      await page.getByLabel('Seed').fill('1');
      await page.locator('#write').click();
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
      expect(await page.locator('#write').getAttribute('aria-disabled')).toBe('true');
      await page.context().setOffline(false);
      await waitUntilReady(page);
      await page.getByLabel('Max tokens').fill('20');
      await typePrompt(page, 'Once');
      await waitUntilDone(page);
      expect((await readAnswer(page)).length).toBeGreaterThan(0);
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
      expect((await readAnswer(page)).length).toBeGreaterThan(0);
      expect(Number.parseInt((await page.locator('#ttft').textContent()) ?? '', 10)).toBeGreaterThan(250);
    },
    TIMEOUT_MS,
  );

  test(
    'everything can be reached by keyboard and has a name',
    async () => {
      const page = await open();
      await page.locator('#chat-link').focus();
      const reached: string[] = [];
      for (let i = 0; i < 12; i++) {
        reached.push(
          await page.evaluate(() => document.activeElement?.id || document.activeElement!.tagName),
        );
        await page.keyboard.press('Tab');
      }
      expect(reached).toEqual([
        'chat-link',
        'race-link',
        'plan-link',
        'prompt',
        'write',
        'SUMMARY',
        'temperature',
        'top-p',
        'max-tokens',
        'seed',
        'mode',
        'speculation',
      ]);
      for (const id of reached.filter((id) => id !== 'SUMMARY')) {
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
      const button = await page.locator('#write').boundingBox();
      expect(button?.height).toBeGreaterThanOrEqual(44);
      await page.getByLabel('Max tokens').fill('30');
      await typePrompt(page, `Once ${'very'.repeat(30)} long`);
      await waitUntilDone(page);
      for (const view of ['Chat', 'Race', 'Plan'] as const) {
        await goTo(page, view);
        if (view === 'Race') {
          await page.locator('#write').click();
          await page.locator('#replay').waitFor();
        }
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect({ view, width }).toEqual({ view, width: 360 });
      }
    },
    TIMEOUT_MS,
  );

  test(
    'a race of the same request gives equal texts',
    async () => {
      const page = await open();
      await goTo(page, 'Race');
      await page.getByLabel('Max tokens').fill('60');
      await page.getByLabel('Draft tokens').fill('3');
      await typePrompt(page, 'Once upon a time');
      await page.locator('#race-state', { hasText: 'Both are at their end.' }).waitFor();
      expect(await page.locator('#race-texts').textContent()).toMatch(
        /^The texts are equal: (\d+) of \1 tokens/,
      );
      expect(await page.locator('#race-speed').textContent()).toMatch(/ tokens\/s with speculation, /);
      const [plain, speculative] = await Promise.all(
        ['plain', 'speculative'].map((lane) => page.locator(`#${lane}-text`).textContent()),
      );
      expect(plain?.length).toBeGreaterThan(10);
      expect(speculative).toBe(plain!);
      expect(await page.locator('#plain-text .token:not(.target)').count()).toBe(0);
      expect(await page.locator('#speculative-text .token:not(.target)').count()).toBeGreaterThan(0);
      expect(await page.locator('#error').textContent()).toBe('');
    },
    TIMEOUT_MS,
  );

  test(
    'the plan shows every block once, with its score',
    async () => {
      const page = await open();
      await goTo(page, 'Plan');
      await page.locator('#plan-picture').waitFor();
      const [rows, cells] = await Promise.all(
        ['tr', 'td'].map((kind) => page.locator(`#plan-rows ${kind}`).count()),
      );
      expect(rows).toBeGreaterThan(0);
      expect(cells).toBe(2 * rows!);
      expect(await page.locator('#plan-rows .bar.skipped').count()).toBeGreaterThan(0);
      expect(await page.locator('#plan-summary').textContent()).toMatch(
        /^The draft .* skips \d+ of \d+ blocks/,
      );
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
