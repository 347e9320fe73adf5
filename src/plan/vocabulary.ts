/** Which tokens a draft may propose, and how many: the LM head of a draft step need not be computed for all (FR-Spec, arXiv 2502.14856). */
import { bestDraftLength } from '../lib/speedup.ts';

type Ids = readonly number[];

/** Of which a vocabulary is made. */
export interface TokenStatistics {
  /** Text like what the model will write. */
  readonly sequences: readonly Ids[];
  /** V */
  readonly vocabSize: number;
  /** Tokens that are always in it: those that begin and end a text. */
  readonly always: Ids;
}

/**
 * The `size` most frequent tokens, ids ascending. Those that are equally frequent, such as all that do not occur, are
 * taken by id, lowest first: tokenizers number their tokens by frequency, roughly.
 */
export function selectVocabulary(statistics: TokenStatistics, size: number): number[] {
  return [...rankTokens(statistics)].flatMap((rank, id) => (rank < size ? [id] : []));
}

/** Parts into which sequences are dealt to estimate coverage. */
const MOST_FOLDS = 16;

/**
 * For each size: share of the tokens that are in the vocabulary of other sequences, by cross-validation; 0 of fewer than
 * two sequences.
 */
export function coverageOf(statistics: TokenStatistics, sizes: readonly number[]): number[] {
  const { sequences } = statistics;
  const covered = sizes.map(() => 0);
  const folds = Math.min(MOST_FOLDS, sequences.length);
  if (folds < 2) return covered;
  for (let fold = 0; fold < folds; fold++) {
    const others = sequences.filter((_, i) => i % folds !== fold);
    const ranks = rankTokens({ ...statistics, sequences: others });
    for (const id of sequences.filter((_, i) => i % folds === fold).flat()) {
      for (const [s, size] of sizes.entries()) if (ranks[id]! < size) covered[s]!++;
    }
  }
  const total = sequences.flat().length;
  return covered.map((count) => count / total);
}

/** [V] places of the tokens by frequency. */
function rankTokens({ sequences, vocabSize, always }: TokenStatistics): Uint32Array {
  const counts = new Map(always.map((id) => [id, Number.POSITIVE_INFINITY]));
  for (const id of sequences.flat()) counts.set(id, (counts.get(id) ?? 0) + 1);
  const seen = [...counts].sort(([a, countA], [b, countB]) => countB - countA || a - b);
  const ranks = new Uint32Array(vocabSize).fill(vocabSize);
  let next = 0;
  for (const [id] of seen) ranks[id] = next++;
  for (let id = 0; id < vocabSize; id++) if (ranks[id] === vocabSize) ranks[id] = next++;
  return ranks;
}

/** Fewer tokens miss too many, and a head of this size costs next to nothing. */
const SMALLEST_VOCABULARY = 64;
/** A head that is less of a draft step than this is not worth a file. */
const SMALLEST_HEAD_SHARE = 0.03;

/** A typical draft of rounded weights (test/bench/log.md): its acceptance, its step and the target's steps of 1 to 13 tokens, in plain steps. */
const TYPICAL_ACCEPTANCE = 0.9;
const TYPICAL_DRAFT = 0.4;
const TYPICAL_TARGET = Array.from({ length: 13 }, (_, i) => 1 + 0.05 * i);
/** Of the whole vocabulary's speed: less is a loss beyond the error of this arithmetic, and a build measures the rest. */
const SMALLEST_SPEED = 0.95;

/** Weights that a draft step multiplies by: of its blocks, and of the LM head per token. */
export interface StepWeights {
  readonly blocks: number;
  readonly perToken: number;
}

/**
 * The size of vocabulary, a power of two up to V / 2, that makes a typical draft fastest, if a step takes as long as it has
 * weights and tokens outside are those that the statistics miss. Undefined: none promises to be as fast as all tokens, or
 * the head is too small a part of a step.
 */
export function chooseVocabularySize(
  statistics: TokenStatistics,
  { blocks, perToken }: StepWeights,
): number | undefined {
  const { vocabSize } = statistics;
  const whole = blocks + vocabSize * perToken;
  if ((vocabSize * perToken) / whole < SMALLEST_HEAD_SHARE) return undefined;
  const speedOf = (coverage: number, size: number): number => {
    const draftMs = (TYPICAL_DRAFT * (blocks + size * perToken)) / whole;
    const costs = { draftMs, draftStartMs: 0, targetMs: TYPICAL_TARGET };
    return bestDraftLength(TYPICAL_ACCEPTANCE * coverage, costs, TYPICAL_TARGET.length - 1).speedup;
  };
  const sizes: number[] = [];
  for (let size = SMALLEST_VOCABULARY; size <= vocabSize / 2; size *= 2) sizes.push(size);
  const coverage = coverageOf(statistics, sizes);
  let best: { readonly size: number | undefined; readonly speed: number } = {
    size: undefined,
    speed: SMALLEST_SPEED * speedOf(1, vocabSize),
  };
  for (const [i, size] of sizes.entries()) {
    const speed = speedOf(coverage[i]!, size);
    if (speed > best.speed) best = { size, speed };
  }
  return best.size;
}
