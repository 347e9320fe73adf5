import { expect, test } from 'bun:test';
import { strftime } from '../../src/text/strftime.ts';

// Expected values as Python's datetime.strftime prints them in the C locale.
test.each([
  ['%Y-%m-%d', '2025-02-03'],
  ['%y %b %B %a %A', '25 Feb February Mon Monday'],
  ['%H:%M:%S', '00:05:09'],
  ['%I %p', '12 AM'],
  ['100%% %q', '100% %q'],
])('strftime(%j)', (format, expected) => {
  expect(strftime(new Date(2025, 1, 3, 0, 5, 9), format)).toBe(expected);
});
