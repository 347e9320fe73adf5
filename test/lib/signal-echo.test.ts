import { expect, test } from 'bun:test';
import { createEchoFilter } from '../../src/lib/signal-echo.ts';

test('createEchoFilter() takes signals within half a second of each other for one', () => {
  let nowMs = 0;
  const isOwnSignal = createEchoFilter(() => nowMs);
  const at = (ms: number) => {
    nowMs = ms;
    return isOwnSignal();
  };
  expect([0, 3, 12, 400, 899, 1399, 2000].map(at)).toEqual([true, false, false, false, false, true, true]);
});
