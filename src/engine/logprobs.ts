import type { TokenLogprob } from './types.ts';

/** Log probability of `id` and of the `count` likeliest tokens under raw logits [V]; natural logarithm. */
export function tokenLogprob(logits: Float32Array, id: number, count: number): TokenLogprob {
  const normaliser = logSumExp(logits);
  const top = likeliest(logits, count).map((best) => ({ id: best, logprob: logits[best]! - normaliser }));
  return { logprob: logits[id]! - normaliser, top };
}

function logSumExp(logits: Float32Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) if (logits[id]! > highest) highest = logits[id]!;
  let total = 0;
  for (let id = 0; id < logits.length; id++) total += Math.exp(logits[id]! - highest);
  return highest + Math.log(total);
}

/** Insertion into a short ranked list: `count` is at most some 20, so few tokens ever get past the first comparison. */
function likeliest(logits: Float32Array, count: number): number[] {
  const ranked: number[] = [];
  if (count === 0) return ranked;
  for (let id = 0; id < logits.length; id++) {
    if (ranked.length === count && logits[id]! <= logits[ranked[count - 1]!]!) continue;
    let place = ranked.length;
    while (place > 0 && logits[ranked[place - 1]!]! < logits[id]!) place--;
    ranked.splice(place, 0, id);
    if (ranked.length > count) ranked.pop();
  }
  return ranked;
}
