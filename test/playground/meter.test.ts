import { expect, test } from 'bun:test';
import type { TokenOrigin } from '../../src/client/index.ts';
import { createMeter } from '../../src/playground/meter.ts';

const event = (...origins: TokenOrigin[]) =>
  ({ type: 'text', text: 'x', tokenIds: origins.map((_, id) => id), origins }) as const;

test('createMeter() knows nothing before the first token', () => {
  expect(createMeter(1000).read()).toEqual({
    firstTokenMs: undefined,
    tokensPerSecond: undefined,
    tokensPerPass: undefined,
    tokens: 0,
  });
});

test('createMeter() leaves the first event out of the rate', () => {
  const meter = createMeter(1000);
  meter.add(event('target', 'target', 'target'), 1500);
  expect(meter.read()).toMatchObject({
    firstTokenMs: 500,
    tokensPerSecond: undefined,
    tokensPerPass: 1,
    tokens: 3,
  });
  meter.add(event('draft', 'draft', 'draft'), 1600);
  meter.add(event('target', 'target'), 1750);
  expect(meter.read()).toMatchObject({
    firstTokenMs: 500,
    tokensPerSecond: 20,
    tokensPerPass: 8 / 5,
    tokens: 8,
  });
});
