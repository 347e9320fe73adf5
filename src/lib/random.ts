/**
 * Random numbers that depend on nothing but their key: the same key gives the same bits in any order, on any run.
 * Target and draft therefore share their noise, which is what makes coupled sampling lossless.
 */

/** What the noise of one position is for. Separate uses get independent bits. */
export type NoiseUse = 'token' | 'acceptance' | 'recovery' | 'draft';

const USE_SALT: Readonly<Record<NoiseUse, number>> = {
  token: 0,
  acceptance: 0x5bf03635,
  recovery: 0x2545f491,
  draft: 0x6c078965,
};

/** Two 32-bit words that name the noise of one position of one request. */
export interface NoiseKey {
  readonly first: number;
  readonly second: number;
}

/** The key of a position: `seed` 32-bit unsigned, `position` counted from the start of the sequence. */
export function noiseKey(seed: number, position: number, use: NoiseUse = 'token'): NoiseKey {
  const first = mix(mix((seed ^ USE_SALT[use]) | 0) + position);
  return { first, second: mix(mix(first ^ 0x9e3779b9) + Math.imul(seed, 0x85ebca6b) + position) };
}

/** 32 uniform bits for entry `index` (a token id) of a position, as a signed integer. */
export function noiseBits(key: NoiseKey, index: number): number {
  return mix(mix(index ^ key.first) + key.second);
}

/** Uniform number strictly between 0 and 1, from 32 bits. */
export function bitsToUniform(bits: number): number {
  return ((bits >>> 0) + 0.5) * 2 ** -32;
}

/** Standard Gumbel noise of 32 random bits; the bits stand for 1 - u, so that small bits mean large noise. */
export function gumbel(bits: number): number {
  return -Math.log(-Math.log1p(-bitsToUniform(bits)));
}

/**
 * Upper bound of `gumbel(bits)` without a logarithm: -ln(1 - v) >= v and v >= 2^-(clz32(bits) + 1), so
 * G <= (clz32(bits) + 1) ln 2. At most 22.9.
 */
export function gumbelBound(bits: number): number {
  return (Math.clz32(bits) + 1) * Math.LN2;
}

/** Largest value that {@linkcode gumbelBound} can take. */
export const GUMBEL_CEILING: number = 33 * Math.LN2;

/** A seeded stream of random numbers, for plans and calibration (splitmix32). */
export class RandomStream {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 uniform bits, unsigned. */
  nextBits(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix(mix(this.#state) ^ 0x3c6ef372) >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  next(): number {
    return ((this.nextBits() >>> 5) * 2 ** 26 + (this.nextBits() >>> 6)) * 2 ** -53;
  }

  /** Uniform integer in [0, limit). `limit` up to 2^32; the bias of at most limit / 2^53 is left. */
  nextInt(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}

/** A permutation of the 32-bit integers with near-ideal avalanche: Chris Wellons' "lowbias32" (hash-prospector, 2018). */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}
