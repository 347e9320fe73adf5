import { describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import { playgroundFiles, playgroundSecurityPolicy } from '../../src/playground/index.ts';
import { type FakeCompletionServer, startFakeCompletionServer } from '../fakes/completion-server.ts';
import { isBrowserMissing } from './browser.ts';
import { describePlayground, goTo, type PlaygroundTest, typePrompt, waitUntilReady } from './suite.ts';

const TIMEOUT_MS = 30_000;

if (isBrowserMissing()) {
  describe('the race', () => test.skip('in Chromium: none is installed', () => {}));
} else describePlayground('race and plan on a fake server', startFake, addTests);

let fake: FakeCompletionServer;

async function startFake(): Promise<FakeCompletionServer> {
  fake = await startFakeCompletionServer(playgroundFiles(), playgroundSecurityPolicy);
  return fake;
}

function addTests(run: PlaygroundTest): void {
  const openRace = async (chunkDelayMs: number): Promise<Page> => {
    fake.requests.length = 0;
    Object.assign(fake.behaviour, { chunkDelayMs, failAtChunk: -1, apiKey: undefined });
    await run.page.goto(`${fake.baseUrl}/#race`);
    await waitUntilReady(run.page);
    return run.page;
  };
  const untilOver = (page: Page) =>
    page.locator('#race-state', { hasText: 'Both are at their end.' }).waitFor();

  test(
    'sends one request twice, one after the other, with one seed and a warm cache',
    async () => {
      const page = await openRace(5);
      await page.getByLabel('Draft tokens').fill('4');
      await typePrompt(page, 'Once');
      await untilOver(page);
      const [warmUp, plain, speculative] = fake.requests.map(({ body }) => body);
      expect(fake.requests).toHaveLength(3);
      expect(warmUp).toMatchObject({ prompt: 'Once', max_tokens: 1 });
      expect(plain).toMatchObject({ prompt: 'Once', max_tokens: 200, speculative: { enabled: false } });
      expect(plain?.seed).toBeNumber();
      expect(speculative).toEqual({ ...plain, speculative: { enabled: true, draft_tokens: 4 } });
      expect(await page.locator('#race-texts').textContent()).toBe(
        'The texts are equal: 15 of 15 tokens are the same.',
      );
      expect(await page.locator('#race-seed').textContent()).toBe(`Seed ${plain?.seed}.`);
    },
    TIMEOUT_MS,
  );

  test(
    'the replay can be repeated, and its stop shows the end',
    async () => {
      const page = await openRace(100);
      await typePrompt(page, 'Once');
      await page.locator('#replay').waitFor();
      await untilOver(page);
      await page.getByRole('button', { name: 'Replay' }).click();
      await page.locator('#race-state', { hasText: 'Replay of both' }).waitFor();
      await page.keyboard.press('Escape');
      await untilOver(page);
      expect(await page.locator('#speculative-text').textContent()).toEndWith('The end.');
      expect(fake.requests).toHaveLength(3);
    },
    TIMEOUT_MS,
  );

  test(
    'can be stopped and broken off',
    async () => {
      const page = await openRace(100);
      await typePrompt(page, 'Once');
      await page.locator('#plain-text .token').first().waitFor();
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.locator('#race-state', { hasText: 'Stopped.' }).waitFor();
      expect(await page.locator('#replay').isVisible()).toBe(false);
      fake.behaviour.failAtChunk = 2;
      await page.getByRole('button', { name: 'Race' }).click();
      await page.getByRole('alert').filter({ hasText: 'The engine stopped.' }).waitFor();
      expect(await page.locator('#race-state').textContent()).toBe('The race was broken off.');
      expect(await page.locator('#prompt').inputValue()).toBe('Once');
    },
    TIMEOUT_MS,
  );

  test(
    'who wants less motion gets the result without a replay',
    async () => {
      await run.page.emulateMedia({ reducedMotion: 'reduce' });
      const page = await openRace(5);
      await typePrompt(page, 'Once');
      await page.locator('#race-state', { hasText: 'Both are recorded.' }).waitFor();
      expect(await page.locator('#replay').isVisible()).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    'the plan tells kept, rounded and skipped blocks apart in words and shape',
    async () => {
      const page = await openRace(5);
      await goTo(page, 'Plan');
      await page.locator('#plan-picture').waitFor();
      expect(await page.locator('#plan-rows td').allTextContents()).toEqual([
        '10kept',
        '28 bits',
        '0.1skipped',
        '14 bits',
      ]);
      const shapes = await page
        .locator('#plan-rows .bar')
        .evaluateAll((bars) =>
          bars.map((bar) => `${getComputedStyle(bar).backgroundImage} ${getComputedStyle(bar).borderStyle}`),
        );
      expect(new Set(shapes).size).toBe(4);
      const widths = await page
        .locator('#plan-rows .bar')
        .evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width));
      expect(widths[0]).toBeGreaterThan(widths[1]!);
      expect(widths[1]).toBeGreaterThan(widths[2]!);
    },
    TIMEOUT_MS,
  );

  test(
    'the plan comes as soon as the key is there',
    async () => {
      fake.behaviour.apiKey = 'secret';
      await run.page.goto(fake.baseUrl);
      await run.page.getByLabel('API key').fill('secret');
      await run.page.keyboard.press('Tab');
      await goTo(run.page, 'Plan');
      await run.page.locator('#plan-picture').waitFor();
      fake.behaviour.apiKey = undefined;
    },
    TIMEOUT_MS,
  );

  test(
    'the whole page works by keyboard alone',
    async () => {
      const page = await openRace(20);
      const press = async (...keys: string[]): Promise<void> => {
        for (const key of keys) await page.keyboard.press(key);
      };
      await page.locator('#race-link').focus();
      await press('Tab', 'Tab'); // past the plan's link to the prompt
      await page.keyboard.type(' and');
      await press('Enter');
      await untilOver(page);
      await page.locator('#plan-link').focus();
      await press('Enter');
      await page.locator('#plan-picture').waitFor();
      await press('Shift+Tab', 'Shift+Tab', 'Enter'); // back to the chat's
      await page.locator('#chat-view').waitFor();
      await press('Tab', 'Tab', 'Tab', 'Tab', 'Enter'); // prompt, then its button
      await page.locator('#story .token').first().waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('stop');
      await press('Enter');
      await page.locator('#story[aria-busy="false"]').waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('write');
    },
    TIMEOUT_MS,
  );
}
