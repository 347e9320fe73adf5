/** Any whole number to 32 bits; those that fit stay what they are. */
export function foldSeed(seed: number): number {
  return (seed ^ mix(Math.floor(seed / 2 ** 32))) >>> 0;
}

/** Seed of answer number `choice` to a prompt: the caller's own for the first, unlike ones for the others. */
export function deriveSeed(seed: number, choice: number): number {
  return choice === 0 ? seed : mix(seed ^ mix(choice));
}

/** Of a request that names none. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** Finalizer of MurmurHash3 (Appleby, public domain): every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
