import { describe, expect, test } from 'bun:test';
import { ClientError } from '../../src/client/errors.ts';
import { parseRetryAfter, retryDelay } from '../../src/client/retry.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const POLICY = { maxRetries: 5, retryDelayMs: 500, maxRetryDelayMs: 3000 };

describe('parseRetryAfter()', () => {
  const CASES: [header: string | null, ms: number | undefined][] = [
    ['0', 0],
    ['7', 7000],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
    ['Thu, 01 Jan 2015 00:00:05 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ];
  for (const [header, ms] of CASES)
    test(`${header} is ${ms}`, () => expect(parseRetryAfter(header, NOW)).toBe(ms));
});

describe('retryDelay()', () => {
  const busy = new ClientError('engine_busy', 'busy', { status: 503 });

  test('doubles, with half of it random, up to the bound', () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const full = Math.min(500 * 2 ** attempt, 6000);
      for (let i = 0; i < 50; i++) {
        const delayMs = retryDelay(busy, attempt, POLICY) ?? Number.NaN;
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(full / 2, 3000));
        expect(delayMs).toBeLessThanOrEqual(Math.min(full, 3000));
      }
    }
  });

  test('is undefined after the last repeat and for other errors', () => {
    expect(retryDelay(busy, 5, POLICY)).toBeUndefined();
    expect(retryDelay(new Error('bug'), 0, POLICY)).toBeUndefined();
    expect(retryDelay(new ClientError('x', 'x', { status: 500 }), 0, POLICY)).toBeUndefined();
  });
});
