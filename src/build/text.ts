import { setImmediate } from 'node:timers/promises';
import { createEngine, DEFAULT_SAMPLING, DEFAULT_SPECULATION, type Engine } from '../engine/index.ts';
import {
  type CalibrationEncoder,
  readFileSequences,
  type SampleTokens,
  sampleSequences,
  startOfText,
} from '../fit/index.ts';
import type { ServingGraph } from '../graph/index.ts';
import type { ModelFolder } from '../hf/index.ts';
import { withSignal } from '../measure/with-signal.ts';
import type { TextCodec } from '../text/index.ts';

type Ids = readonly number[];

/** The text of a build. Owns what it is written with: dispose of it. */
export interface BuildText extends AsyncDisposable {
  /** To score on; endless when sampled. */
  readonly calibration: AsyncIterable<Ids> | Iterable<Ids>;
  /** Sequences that no score has seen, and prompts for measuring: their beginnings. */
  readonly unseen: readonly Ids[];
  readonly heldOut: readonly Ids[];
}

/** Tokens of a calibration sequence. */
const SEQUENCE_TOKENS = 256;
/** Held-out sequences, and how much of each becomes a prompt. */
const HELD_OUT_SEQUENCES = 6;
const PROMPT_TOKENS = 32;
/** Keeps held-out text apart from the calibration text of the same seed. */
const HELD_OUT_SEED = 0x5eed;

/** Sequences of the user's file; the last ones are held out. Throws SdfpError `invalid_request` for a file that cannot be used. */
export async function readBuildText(
  folder: ModelFolder,
  codec: TextCodec,
  calibrationFile: string,
): Promise<BuildText> {
  const { calibration, heldOut: unseen } = await readFileSequences(calibrationFile, {
    encoder: fileEncoder(codec),
    maxTokens: sequenceTokens(folder),
    heldOut: HELD_OUT_SEQUENCES,
  });
  return {
    calibration,
    unseen,
    heldOut: toPrompts(unseen),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** How text is sampled. */
export interface SampleOptions {
  readonly seed: number;
  /** Ends sampling within one step of the model, that of the calibration text too. */
  readonly signal?: AbortSignal | undefined;
  /** Of the held-out text: the calibration text is sampled while it is scored. */
  readonly onProgress?: ((detail: string, share: number) => void) | undefined;
}

/** Text that the model itself writes at temperature 1: labels drawn from the model, and no data set is needed. */
export async function sampleBuildText(
  folder: ModelFolder,
  target: ServingGraph,
  { seed, signal, onProgress }: SampleOptions,
): Promise<BuildText> {
  onProgress?.('loading the model', 0);
  const engine = await createEngine({ graph: target.bytes, spec: target.spec, weightsDir: folder.dir });
  const sequencesFrom = (from: number) =>
    sampleSequences({
      sample: samplerOf(withSignal(engine, signal), folder.generation.eosTokenIds),
      starts: [startOfText(folder.generation)],
      maxTokens: sequenceTokens(folder),
      seed: from,
    });
  try {
    const unseen = await take(sequencesFrom((seed ^ HELD_OUT_SEED) >>> 0), HELD_OUT_SEQUENCES, {
      onItem: (count) =>
        onProgress?.(`${count} of ${HELD_OUT_SEQUENCES} held-out sequences`, count / HELD_OUT_SEQUENCES),
    });
    return {
      calibration: sequencesFrom(seed),
      unseen,
      heldOut: toPrompts(unseen),
      [Symbol.asyncDispose]: () => engine.dispose(),
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

function sequenceTokens({ config }: ModelFolder): number {
  return Math.min(SEQUENCE_TOKENS, config.maxPositions);
}

function toPrompts(sequences: readonly Ids[]): Ids[] {
  return sequences.map((ids) => ids.slice(0, Math.min(PROMPT_TOKENS, Math.ceil(ids.length / 2))));
}

function fileEncoder(text: TextCodec): CalibrationEncoder {
  return {
    encodeText: (content) => text.encode(content),
    encodeChat: (messages) =>
      text.encode(text.renderChat(messages.map((message) => ({ ...message }))), { addSpecialTokens: false }),
  };
}

function samplerOf(engine: Engine, stopTokenIds: Ids): SampleTokens {
  return async (promptIds, maxTokens, seed) => {
    const ids: number[] = [];
    const events = engine.generate({
      promptIds,
      maxTokens,
      sampling: { ...DEFAULT_SAMPLING, seed },
      speculation: { ...DEFAULT_SPECULATION, enabled: false },
      stopTokenIds,
      topLogprobs: undefined,
    });
    for await (const event of events) if (event.type === 'tokens') ids.push(...event.ids);
    return ids;
  };
}

/** Items between two of which signals are heard. */
const ITEMS_PER_TURN = 16;

/** The first `count` items. `onItem` is told how many there are; an aborted signal ends it with its reason. */
export async function take<T>(
  items: AsyncIterable<T> | Iterable<T>,
  count: number,
  { onItem, signal }: { onItem?: (taken: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    onItem?.(taken.length);
    if (taken.length === count) break;
    if (taken.length % ITEMS_PER_TURN === 0) await setImmediate();
    signal?.throwIfAborted();
  }
  return taken;
}
