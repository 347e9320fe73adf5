/** Weights under e^-14 of the highest are left out: a vocabulary of 150,000 of them would change the sum by an eighth. */
const NEGLIGIBLE = -14;

/** Probability of `id` under `logits` [V] at `temperature`, 0 counting as 1: how sure a model is of the token it picked. */
export function confidenceOf(logits: Float32Array, id: number, temperature: number): number {
  const scale = temperature > 0 ? 1 / temperature : 1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > highest) highest = logits[i]!;
  const least = highest + NEGLIGIBLE / scale;
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (logit > least) total += Math.exp((logit - highest) * scale);
  }
  return Math.exp((logits[id]! - highest) * scale) / total;
}
