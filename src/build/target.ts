import type { TargetFacts } from '../artifact/index.ts';
import { agreementOf, type EvaluateOptions, evaluateSequences } from '../fit/index.ts';
import type { ModelFolder } from '../hf/index.ts';

type Ids = readonly number[];

/** What {@linkcode describeTarget} compares. */
export interface TargetOptions {
  /** The model as stored. */
  readonly stored: ModelFolder;
  /** The model as it is served, in the folder that has its weights. */
  readonly target: ModelFolder;
  /** Sequences that no score has seen; those of one token predict nothing and are left out. */
  readonly heldOut: readonly Ids[];
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (detail: string, share: number) => void;
}

/** Says what the target multiplies by and, where that is rounded, measures what the rounding has changed. */
export async function describeTarget(options: TargetOptions): Promise<TargetFacts> {
  const { stored, target, signal, onProgress } = options;
  const { precision = 'stored' } = target;
  const sequences = options.heldOut.filter((ids) => ids.length > 1);
  if (precision === 'stored' || sequences.length === 0) return { precision, loss: null };
  const evaluate = (folder: ModelFolder, from: number) => {
    const evaluateOptions: EvaluateOptions = {
      onProgress: (share) => onProgress('what rounding changes', from + share / 2),
      ...(signal === undefined ? {} : { signal }),
    };
    return evaluateSequences(folder, sequences, evaluateOptions);
  };
  const [before, after] = [await evaluate(stored, 0), await evaluate(target, 0.5)];
  return {
    precision,
    loss: {
      sequences: sequences.length,
      tokens: before.tokens,
      storedNllPerToken: before.nllSum / before.tokens,
      nllPerToken: after.nllSum / after.tokens,
      agreement: agreementOf(after.predictions, before.predictions),
    },
  };
}
