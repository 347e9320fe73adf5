import { buildScoringGraph, SCORING_OUTPUTS } from '../graph/scoring.ts';
import type { ModelFolder } from '../hf/types.ts';
import type { Rounding } from '../quant/index.ts';
import { openSession, type Session, type TensorLike } from '../runtime/index.ts';
import { checkSequence, sequenceFeeds } from './sequence-feeds.ts';
import type { Measurement, ScoringFacts, ScoringMethod } from './types.ts';

/** A model ready to be scored by one method. Owns a session: dispose of it. */
export interface Scorer {
  readonly method: ScoringMethod;
  readonly facts: ScoringFacts;
  /**
   * One forward and backward pass. Blocks the thread meanwhile.
   * Throws SdfpError `invalid_request` for ids that the model cannot read.
   */
  measure(ids: readonly number[]): Measurement;
  dispose(): void;
}

/** Options of {@linkcode openScorer}. */
export interface ScorerOptions {
  /** Of the method `random`; default 0. */
  readonly seed?: number;
  /** Of the session; ONNX Runtime's choice by default. */
  readonly threads?: number;
  /** To score beside removal; of the method `fit`, others ignore it. Default: none. */
  readonly roundings?: readonly Rounding[];
  /** Folder of the model's weights and rounded ones; default: the model's, which has no rounded ones. */
  readonly weightsDir?: string;
}

const outputs = [SCORING_OUTPUTS.nll, SCORING_OUTPUTS.values];

/** Opens a session for what `method` measures; none if it measures nothing. */
export async function openScorer(
  folder: ModelFolder,
  method: ScoringMethod,
  { seed = 0, threads, weightsDir = folder.dir, ...options }: ScorerOptions = {},
): Promise<Scorer> {
  const { numLayers } = folder.config;
  const roundings = method.name === 'fit' ? (options.roundings ?? []) : [];
  if (method.probe === null) return unmeasured(method, { numLayers, tensors: [], seed, roundings });
  const { bytes, tensors } = buildScoringGraph(folder, method.probe, roundings);
  const session = await openSession({
    graph: bytes,
    weightsDir,
    ...(threads === undefined ? {} : { threads }),
    // A plan per sequence length would keep another copy of the activations.
    memoryPattern: false,
  });
  const thetaSq = tensors.length > 0 ? readThetaSq(session) : [];
  const scored = tensors.map((tensor, i) => ({ ...tensor, thetaSq: thetaSq[i]! }));
  return {
    method,
    facts: { numLayers, tensors: scored, seed, roundings },
    measure(ids) {
      checkSequence(ids, folder.config);
      const results = session.run(sequenceFeeds(ids), outputs);
      return {
        nll: floats(results[SCORING_OUTPUTS.nll])[0]!,
        length: ids.length,
        values: floats(results[SCORING_OUTPUTS.values]),
      };
    },
    dispose: () => session.dispose(),
  };
}

function unmeasured(method: ScoringMethod, facts: ScoringFacts): Scorer {
  return {
    method,
    facts,
    measure: () => {
      throw new TypeError(`${method.name} measures nothing`);
    },
    dispose: () => {},
  };
}

/** They are constants of the graph; any sequence brings them out. */
function readThetaSq(session: Session): Float32Array {
  return floats(session.run(sequenceFeeds([0, 0]), [SCORING_OUTPUTS.thetaSq])[SCORING_OUTPUTS.thetaSq]);
}

function floats(tensor: TensorLike | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new TypeError(`needs a float32 output, found ${tensor?.type ?? 'none'}`);
}
