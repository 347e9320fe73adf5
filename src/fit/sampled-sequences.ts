import type { GenerationDefaults } from '../hf/types.ts';
import { SdfpError } from '../lib/errors.ts';
import { noiseKey } from '../lib/random.ts';

/**
 * Draws up to `maxTokens` tokens after `promptIds` at temperature 1, the end token included where one comes.
 * The same arguments give the same tokens. Returns the new tokens only.
 */
export type SampleTokens = (
  promptIds: readonly number[],
  maxTokens: number,
  seed: number,
) => Promise<readonly number[]>;

/** Options of {@linkcode sampleSequences}. */
export interface SampledSequencesOptions {
  readonly sample: SampleTokens;
  /** What the sequences begin with, in turn; see {@linkcode startOfText}. */
  readonly starts: readonly (readonly number[])[];
  /** Most tokens of a sequence, its start included. */
  readonly maxTokens: number;
  readonly seed: number;
}

/** Shorter texts say next to nothing per run. */
const fewestTokens = 8;

/** Samples in a row that end at once before we give up. */
const mostEmptySamples = 16;

/**
 * Calibration text that the model writes itself, without end. Labels drawn from the model make the empirical Fisher
 * the true Fisher (Kunstner et al. 2019), and no data set is needed.
 */
export async function* sampleSequences(options: SampledSequencesOptions): AsyncGenerator<readonly number[]> {
  const { starts, seed } = options;
  let tooShort = 0;
  for (let draw = 0; ; draw++) {
    const start = starts[draw % starts.length]!;
    const sequence = await sampleSequence(start, seedOfDraw(seed, draw), options);
    tooShort = sequence.length < fewestTokens ? tooShort + 1 : 0;
    if (tooShort > mostEmptySamples) throw endsAtOnce(start);
    if (tooShort === 0) yield sequence;
  }
}

/**
 * Goes on behind an end token while there is room: a chat model ends a turn there, and its answers come after it.
 * Stops where the model has nothing more to say.
 */
async function sampleSequence(
  start: readonly number[],
  seed: number,
  { sample, maxTokens }: SampledSequencesOptions,
): Promise<readonly number[]> {
  const sequence = [...start];
  let added = fewestTokens;
  for (let part = 0; added >= fewestTokens && maxTokens - sequence.length >= fewestTokens; part++) {
    const ids = await sample(sequence, maxTokens - sequence.length, seedOfDraw(seed, part));
    sequence.push(...ids);
    added = ids.length;
  }
  return sequence;
}

/** The token that begins a document: BOS, or an end token, after which the next document begins. */
export function startOfText(generation: GenerationDefaults): readonly number[] {
  const start = generation.bosTokenId ?? generation.eosTokenIds[0];
  if (start !== undefined) return [start];
  throw new SdfpError(
    'model_unsupported',
    'sampling calibration text: the model folder names neither bos_token_id nor eos_token_id; give a calibration file',
    { param: 'calibration' },
  );
}

/** A seed of its own for every draw of every seed (`seed + draw` would give neighbouring seeds the same texts). */
function seedOfDraw(seed: number, draw: number): number {
  return noiseKey(seed, draw).second >>> 0;
}

function endsAtOnce(start: readonly number[]): SdfpError {
  return new SdfpError(
    'model_unsupported',
    `sampling calibration text from [${start}]: ${mostEmptySamples + 1} samples in a row had under ${fewestTokens} tokens; give a calibration file`,
    { param: 'calibration' },
  );
}
