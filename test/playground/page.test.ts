import { describe, expect, test } from 'bun:test';
import { playgroundFiles, playgroundSecurityPolicy } from '../../src/playground/index.ts';
import {
  FAKE_PLAN,
  type FakeBehaviour,
  type FakeCompletionServer,
  SCRIPT,
  SCRIPT_TEXT,
  startFakeCompletionServer,
} from '../fakes/completion-server.ts';
import { isBrowserMissing } from './browser.ts';
import { addCommonTests } from './common-tests.ts';
import { describePlayground, readAnswer, typePrompt, waitUntilDone, waitUntilReady } from './suite.ts';

const TIMEOUT_MS = 30_000;

// `PLAYGROUND_URL=http://localhost:3000 bun test test/playground` also tests a server that runs already.
if (isBrowserMissing()) {
  describe('the playground', () => test.skip('in Chromium: none is installed', () => {}));
} else {
  describePlayground('the playground on a fake server', startFake, (run) => {
    addCommonTests(run);
    addFakeTests(run);
  });
  const baseUrl = process.env.PLAYGROUND_URL;
  if (baseUrl)
    describePlayground(
      `the playground at ${baseUrl}`,
      async () => ({ baseUrl, close: async () => {} }),
      addCommonTests,
    );
}

let fake: FakeCompletionServer;

async function startFake(): Promise<FakeCompletionServer> {
  fake = await startFakeCompletionServer(playgroundFiles(), playgroundSecurityPolicy);
  fake.behaviour.chunkDelayMs = 10;
  return fake;
}

function addFakeTests(run: { page: import('playwright-core').Page }): void {
  const open = async (behaviour: Partial<FakeBehaviour> = {}) => {
    fake.requests.length = 0;
    const usual = { chunkDelayMs: 10, failAtChunk: -1, breakAtChunk: -1, apiKey: undefined, plan: FAKE_PLAN };
    Object.assign(fake.behaviour, usual, behaviour);
    const planned = run.page.waitForResponse('**/plan');
    await run.page.goto(fake.baseUrl);
    await waitUntilReady(run.page);
    await (await planned).finished();
    return run.page;
  };

  test(
    'shows each token run by its origin, as text and not as HTML',
    async () => {
      const page = await open();
      await typePrompt(page, 'Once');
      await waitUntilDone(page);
      const spans = await page
        .locator('#story .token')
        .evaluateAll((elements) => elements.map(({ className, textContent }) => [className, textContent]));
      expect(spans).toEqual(SCRIPT.map(({ origin, text }) => [`token ${origin}`, text.trimStart()]));
      expect(await readAnswer(page)).toBe(SCRIPT_TEXT);
      expect(await page.locator('#story b').count()).toBe(0);
      expect(await page.locator('#pass').textContent()).toBe('3.00');
      expect(await page.locator('#accepted').textContent()).toBe('83 %');
      expect(await page.locator('#progress').textContent()).toBe('The text finished after 15 tokens.');
      expect(await page.locator('#server').textContent()).toBe('fake-stories on cpu');
    },
    TIMEOUT_MS,
  );

  test(
    'sends what the form says',
    async () => {
      const page = await open();
      await page.getByLabel('Temperature').fill('0.3');
      await page.getByLabel('Max tokens').fill('33');
      await page.getByLabel('Seed').fill('9');
      await page.getByLabel('Top p').fill('0.5');
      await page.getByLabel('Speculation').uncheck();
      await typePrompt(page, 'One');
      await waitUntilDone(page);
      await page.getByLabel('Seed').fill('');
      await page.getByLabel('Speculation').check();
      await page.getByLabel('Draft tokens').fill('5');
      await typePrompt(page, 'Two');
      await waitUntilDone(page);
      const [first, second] = fake.requests;
      const off = { temperature: 0.3, top_p: 0.5, max_tokens: 33, seed: 9, speculative: { enabled: false } };
      expect(first).toMatchObject({ path: '/v1/completions', body: { prompt: 'One', ...off } });
      expect(second?.body).toMatchObject({ speculative: { enabled: true, draft_tokens: 5 } });
      expect(second?.body).not.toHaveProperty('seed');
    },
    TIMEOUT_MS,
  );

  test(
    'a model without a chat template continues the text so far',
    async () => {
      const page = await open();
      expect(await page.getByLabel('Answer as').inputValue()).toBe('complete');
      expect(await page.locator('#mode option[value=chat]').isDisabled()).toBe(true);
      await typePrompt(page, 'Once');
      await waitUntilDone(page);
      await page.getByLabel('How does it go on?').fill('Then');
      await page.keyboard.press('Enter');
      await waitUntilDone(page);
      await page.keyboard.press('Enter'); // nothing to add: just goes on
      await waitUntilDone(page);
      const prompts = fake.requests.map(({ body }) => body.prompt);
      const texts = ['Once', `Once${SCRIPT_TEXT} Then`, `Once${SCRIPT_TEXT} Then${SCRIPT_TEXT}`];
      expect(prompts).toEqual(texts);
      const shown = await page.locator('#story :is(.given, .answer)').allTextContents();
      expect(shown.join('')).toBe(`${texts[2]}${SCRIPT_TEXT}`);
    },
    TIMEOUT_MS,
  );

  test(
    'a chat keeps its messages until a new one begins',
    async () => {
      const page = await open({ plan: { ...FAKE_PLAN, has_chat_template: true } });
      await page.getByLabel('Your message').waitFor();
      await page.getByLabel('Your message').fill('  ');
      await page.keyboard.press('Enter');
      expect(fake.requests).toHaveLength(0);
      await typePrompt(page, 'One');
      await waitUntilDone(page);
      await typePrompt(page, 'Two');
      await waitUntilDone(page);
      const one = { role: 'user', content: 'One' };
      const answer = { role: 'assistant', content: SCRIPT_TEXT };
      expect(fake.requests[1]).toMatchObject({
        path: '/v1/chat/completions',
        body: { messages: [one, answer, { role: 'user', content: 'Two' }] },
      });
      expect(await page.locator('#story .turn h3').allTextContents()).toEqual([
        'You',
        'Model',
        'You',
        'Model',
      ]);
      await page.getByRole('button', { name: 'New chat' }).click();
      expect(await page.locator('#story .turn').count()).toBe(0);
      expect(await page.locator('#prompt').evaluate((box) => box === document.activeElement)).toBe(true);
      await typePrompt(page, 'Three');
      await waitUntilDone(page);
      expect(fake.requests[2]?.body).toMatchObject({ messages: [{ role: 'user', content: 'Three' }] });
    },
    TIMEOUT_MS,
  );

  test(
    'a request that brings nothing gives the prompt back',
    async () => {
      const page = await open({ failAtChunk: 0 });
      await typePrompt(page, 'Once');
      await page.getByRole('alert').filter({ hasText: 'The engine stopped.' }).waitFor();
      expect(await page.locator('#prompt').inputValue()).toBe('Once');
      expect(await page.locator('#story .turn').count()).toBe(0);
      fake.behaviour.failAtChunk = -1;
      await page.keyboard.press('Enter');
      await page.locator('#story .token').first().waitFor();
      await waitUntilDone(page);
      expect(fake.requests[1]?.body.prompt).toBe('Once');
      expect(await page.locator('#error').textContent()).toBe('');
    },
    TIMEOUT_MS,
  );

  test(
    'a screen reader hears sentences, not tokens',
    async () => {
      const page = await open();
      await typePrompt(page, 'Once');
      await waitUntilDone(page);
      const said = await page.locator('#spoken[aria-live=polite] p').allTextContents();
      expect(said.join(' ').replace(/\s+/g, ' ')).toBe(SCRIPT_TEXT.replace(/\s+/g, ' '));
      expect(said.length).toBeLessThanOrEqual(2);
      expect(await page.locator('#story').getAttribute('aria-live')).toBe(null);
    },
    TIMEOUT_MS,
  );

  test(
    'opens the settings where a value in them is wrong',
    async () => {
      const page = await open();
      await page.getByLabel('Max tokens').fill('0');
      await page.locator('summary').click();
      expect(await page.getByLabel('Max tokens').isVisible()).toBe(false);
      await typePrompt(page, 'Once');
      await page.getByLabel('Max tokens').waitFor();
      expect(fake.requests).toHaveLength(0);
    },
    TIMEOUT_MS,
  );

  for (const way of ['button', 'Escape', 'keyboard on the button'] as const) {
    test(
      `stops by ${way}, keeps the text and closes the connection`,
      async () => {
        const page = await open();
        fake.behaviour.chunkDelayMs = 200;
        const write = page.getByRole('button', { name: 'Write on' });
        const stop = page.getByRole('button', { name: 'Stop' });
        if (way === 'keyboard on the button') {
          await write.focus();
          await page.keyboard.press('Enter');
        } else await typePrompt(page, 'Once');
        await page.locator('#story .token').nth(1).waitFor();
        if (way === 'button') await stop.click();
        else await page.keyboard.press(way === 'Escape' ? 'Escape' : 'Space'); // the focus went from one to the other
        await waitUntilDone(page);
        expect(await page.locator('#progress').textContent()).toBe('Stopped.');
        const text = await readAnswer(page);
        expect(text.length).toBeGreaterThan(0);
        expect(SCRIPT_TEXT.startsWith(text) && text !== SCRIPT_TEXT).toBe(true);
        for (let i = 0; i < 100 && !fake.requests[0]?.isAborted; i++) await page.waitForTimeout(10);
        expect(fake.requests[0]?.isAborted).toBe(true);
        expect(await stop.isVisible()).toBe(false);
        expect(await write.getAttribute('aria-disabled')).toBe('false');
        expect(await page.locator('#error').textContent()).toBe('');
      },
      TIMEOUT_MS,
    );
  }

  test(
    'a new answer scrolls into sight',
    async () => {
      const page = await open();
      await page.setViewportSize({ width: 360, height: 640 });
      for (let i = 0; i < 3; i++) {
        await typePrompt(page, 'Once upon a time '.repeat(40));
        await waitUntilDone(page);
        const box = await page.locator('#story .token').last().boundingBox();
        expect(box?.y).toBeGreaterThan(0);
        expect(box?.y).toBeLessThan(640);
        await page.evaluate(() => scrollTo(0, 0));
      }
    },
    TIMEOUT_MS,
  );

  test(
    'a phone keeps the stop button in sight while a long text scrolls',
    async () => {
      const page = await open();
      await page.setViewportSize({ width: 320, height: 480 });
      fake.behaviour.chunkDelayMs = 300;
      await typePrompt(page, 'Once upon a time '.repeat(60));
      await page.locator('#story .token').nth(1).waitFor();
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      const box = await page.getByRole('button', { name: 'Stop' }).boundingBox();
      expect(box?.y).toBeGreaterThan(0);
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(480);
      await page.getByRole('button', { name: 'Stop' }).click();
      await waitUntilDone(page);
      expect(await page.locator('#progress').textContent()).toBe('Stopped.');
    },
    TIMEOUT_MS,
  );

  test(
    'an error in the middle keeps the text and says why',
    async () => {
      const page = await open();
      fake.behaviour.failAtChunk = 3;
      await typePrompt(page, 'Once');
      await page.getByRole('alert').filter({ hasText: 'The engine stopped.' }).waitFor();
      expect(await readAnswer(page)).toBe(', there was a little');
    },
    TIMEOUT_MS,
  );

  test(
    'a connection that breaks keeps the text and says so',
    async () => {
      const page = await open();
      fake.behaviour.breakAtChunk = 3;
      await typePrompt(page, 'Once');
      await page.getByRole('alert').filter({ hasText: 'connection to the server was lost' }).waitFor();
      expect(await readAnswer(page)).toBe(', there was a little');
    },
    TIMEOUT_MS,
  );

  test(
    'asks for a key where the server wants one',
    async () => {
      const page = await open();
      fake.behaviour.apiKey = 'secret';
      expect(await page.getByLabel('API key').isVisible()).toBe(false);
      await typePrompt(page, 'Once');
      await page.getByRole('alert').filter({ hasText: 'The key is not valid.' }).waitFor();
      await page.keyboard.type('secret'); // the focus is in the new field
      await page.keyboard.press('Enter');
      await page.locator('#story .token').first().waitFor();
      await waitUntilDone(page);
      expect(await readAnswer(page)).toBe(SCRIPT_TEXT);
    },
    TIMEOUT_MS,
  );

  test(
    'shift and Enter start a line',
    async () => {
      const page = await open();
      const prompt = page.locator('#prompt');
      await prompt.fill('Once');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('upon');
      expect(await prompt.inputValue()).toBe('Once\nupon');
      expect(fake.requests).toHaveLength(0);
    },
    TIMEOUT_MS,
  );
}
