import { formatMs, formatRate } from './figures.ts';
import { countTokens, findDifference, type Recording, speedOf } from './recording.ts';

/** What a race showed, in words: whether the texts are equal, and which was faster. */
export function describeRace(plain: Recording, speculative: Recording): { texts: string; speed: string } {
  const difference = findDifference(plain.end, speculative.end);
  const tokens = countTokens(plain.end);
  const factor = speedOf(speculative) / speedOf(plain);
  const speeds = `${formatRate(speedOf(speculative))} tokens/s with speculation, ${formatRate(speedOf(plain))} without`;
  const isEqual = difference === undefined;
  return {
    texts: isEqual
      ? `The texts are equal: ${tokens} of ${tokens} tokens are the same.`
      : `The texts differ from token ${difference + 1} on.`,
    speed: `${describeFactor(factor)}: ${speeds}${isEqual ? ` (${formatMs(speculative.totalMs)} and ${formatMs(plain.totalMs)})` : ''}.`,
  };
}

function describeFactor(factor: number): string {
  if (!Number.isFinite(factor)) return 'Nothing was written';
  if (Math.abs(factor - 1) < 0.02) return 'Both are equally fast';
  return factor > 1
    ? `Speculation is ${factor.toFixed(2)} times as fast`
    : `Speculation is slower, ${factor.toFixed(2)} times as fast`;
}
