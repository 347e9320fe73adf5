import { describe, expect, test } from 'bun:test';
import { ClientError } from '../../src/client/errors.ts';
import { retryDelay } from '../../src/client/retry.ts';
import { parseRetryAfter } from '../../src/client/retry-after.ts';

const POLICY = { maxRetries: 5, retryDelayMs: 500, maxRetryDelayMs: 3000 };

/** A server's refusal. */
function refusal(status: number, headers: Record<string, string> = {}): ClientError {
  return new ClientError({ code: 'engine_busy' }, new Response('', { status, headers }));
}

describe('parseRetryAfter()', () => {
  const CASES: [header: string, ms: number | undefined][] = [
    ['0', 0],
    ['7', 7000],
    ['Thu, 01 Jan 2015 00:00:05 GMT', undefined],
    ['soon', undefined],
    ['', undefined],
  ];
  for (const [header, ms] of CASES)
    test(`${header} is ${ms}`, () => expect(parseRetryAfter(header)).toBe(ms));

  test('a date is the time until then', () => {
    const ms = parseRetryAfter(new Date(Date.now() + 9000).toUTCString());
    expect(ms).toBeGreaterThan(7000); // dates have whole seconds
    expect(ms).toBeLessThanOrEqual(9000);
  });
});

describe('retryDelay()', () => {
  const busy = refusal(503);

  test('doubles, with half of it random, up to the bound', () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const full = Math.min(500 * 2 ** attempt, 6000);
      for (let i = 0; i < 50; i++) {
        const delayMs = retryDelay(busy, attempt, POLICY);
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(full / 2, 3000));
        expect(delayMs).toBeLessThanOrEqual(Math.min(full, 3000));
      }
    }
  });

  test("a server's wish goes before it", () => {
    expect(retryDelay(refusal(429, { 'retry-after': '2' }), 4, POLICY)).toBe(2000);
    expect(() => retryDelay(refusal(429, { 'retry-after': '4' }), 0, POLICY)).toThrow(ClientError);
  });

  test('throws the error after the last repeat, and one that is no use to repeat', () => {
    expect(() => retryDelay(busy, 5, POLICY)).toThrow(busy);
    const broken = refusal(500);
    expect(() => retryDelay(broken, 0, POLICY)).toThrow(broken);
  });
});
