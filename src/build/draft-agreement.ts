import { setImmediate } from 'node:timers/promises';
import { draftHead, draftMode, includes } from '../graph/draft-mode.ts';
import { buildForward } from '../graph/forward.ts';
import type { ModelFolder } from '../hf/index.ts';
import { encodeModel, GraphBuilder } from '../onnx/index.ts';
import type { DraftPlan, Unit } from '../plan/types.ts';
import { floatTensor, intTensor, openSession, type Session, type TensorLike } from '../runtime/index.ts';

/** What the target makes of one sequence of S tokens: the most likely next token at every position, and its keys and values. */
interface TargetRun {
  readonly ids: readonly number[];
  /** int64 [S] */
  readonly argmax: TensorLike;
  /** [1, KV, S, D] by {@linkcode keyName} and {@linkcode valueName} */
  readonly keyValues: Readonly<Record<string, TensorLike>>;
}

/** Measures drafts on sequences that the target has read once. */
export interface AgreementMeter {
  /**
   * Share of positions at which the draft `plan` guesses the target's most likely token, one step ahead: as in serving,
   * it reads the target's keys and values of all earlier positions and adds only its own row. Throws TypeError for a reduced
   * vocabulary.
   */
  measure(plan: DraftPlan, signal?: AbortSignal): Promise<number>;
}

/** Added to the score of a key that a query must not see; exp of it is 0 in float32. */
const HIDDEN = -1e9;
const ARGMAX = 'argmax';

/** Options of {@linkcode openAgreementMeter}. */
export interface AgreementOptions {
  readonly signal?: AbortSignal | undefined;
  readonly weightsDir?: string;
}

/**
 * Runs the target over the sequences; its keys and values stay in memory (a layer of one sequence: 2 KV S D floats).
 * One draft is in memory at a time. `weightsDir`: folder of the model's weights and, for drafts with some, rounded ones;
 * default: the model's.
 */
export async function openAgreementMeter(
  folder: ModelFolder,
  sequences: readonly (readonly number[])[],
  { signal, weightsDir = folder.dir }: AgreementOptions = {},
): Promise<AgreementMeter> {
  const slots = listSlots(folder, []);
  const outputs = [ARGMAX, ...slots.flatMap((layer) => [keyName(layer), valueName(layer)])];
  const runs = await withSession(weightsDir, buildTargetGraph(folder), async (session) => {
    const results: TargetRun[] = [];
    for (const ids of sequences) {
      await pause(signal);
      const { [ARGMAX]: argmax, ...keyValues } = session.run(targetFeeds(ids), outputs);
      results.push({ ids, argmax: argmax!, keyValues });
    }
    return results;
  });
  return {
    measure: (plan, stop = signal) => {
      const slots = listSlots(folder, plan.dropped);
      return withSession(weightsDir, buildDraftGraph(folder, plan), (session) =>
        shareOfEqual(session, runs, slots, stop),
      );
    },
  };
}

async function shareOfEqual(
  session: Session,
  runs: readonly TargetRun[],
  slots: readonly number[],
  signal: AbortSignal | undefined,
): Promise<number> {
  let [equal, positions] = [0, 0];
  for (const run of runs) {
    await pause(signal);
    const { [ARGMAX]: guesses } = session.run(draftFeeds(run, slots), [ARGMAX]);
    run.ids.forEach((_, t) => {
      if (guesses!.data[t] === run.argmax.data[t]) equal++;
    });
    positions += run.ids.length;
  }
  return equal / positions;
}

/** A run blocks its thread: let signals and the progress display have their turn first. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

async function withSession<T>(
  weightsDir: string,
  graph: Uint8Array,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession({ graph, weightsDir, memoryPattern: false });
  try {
    return await use(session);
  } finally {
    session.dispose();
  }
}

function buildTargetGraph(folder: ModelFolder): Uint8Array {
  const g = new GraphBuilder();
  const { logits, newKeyValues } = buildForward({
    folder,
    g,
    ...sequenceInputs(g),
    attentionBias: g.input('attention_bias', 'float32', [1, 'S', 'S']),
  });
  g.output(ARGMAX, g.op.ArgMax(logits, { axis: -1, keepdims: 0 }));
  newKeyValues.forEach(({ key, value }, layer) => {
    g.output(keyName(layer), key);
    g.output(valueName(layer), value);
  });
  return encodeModel(g.build());
}

function buildDraftGraph(folder: ModelFolder, plan: DraftPlan): Uint8Array {
  if (plan.vocabulary !== undefined) throw new TypeError('agreement is measured over the whole vocabulary');
  const { dropped } = plan;
  const g = new GraphBuilder();
  const always = g.constant([1], 'bool', [1]);
  const { numKvHeads, headDim } = folder.config;
  const past = listSlots(folder, dropped).map((layer) => ({
    key: g.input(keyName(layer), 'float32', [1, numKvHeads, 'S', headDim]),
    value: g.input(valueName(layer), 'float32', [1, numKvHeads, 'S', headDim]),
  }));
  const { logits } = buildForward({
    folder,
    g,
    ...sequenceInputs(g),
    // Without any attention block there is no past, and no one asks for the bias.
    attentionBias: g.input('attention_bias', 'float32', [1, 'S', past.length > 0 ? '2*S' : 'S']),
    past,
    modeOf: (unit) => (includes(dropped, unit) ? 'off' : draftMode(plan, unit, always)),
    headGate: draftHead(plan, always),
  });
  g.output(ARGMAX, g.op.ArgMax(logits, { axis: -1, keepdims: 0 }));
  return encodeModel(g.build());
}

function sequenceInputs(g: GraphBuilder) {
  return {
    inputIds: g.input('input_ids', 'int32', [1, 'S']),
    positionIds: g.input('position_ids', 'int32', [1, 'S']),
  };
}

function targetFeeds(ids: readonly number[]): Record<string, TensorLike> {
  const length = ids.length;
  const causal = new Float32Array(length * length);
  for (let query = 0; query < length; query++) {
    causal.fill(HIDDEN, query * length + query + 1, (query + 1) * length);
  }
  return { ...sequenceFeeds(ids), attention_bias: floatTensor(causal, [1, length, length]) };
}

/** Each query sees the target's rows before its position, and of the draft's own rows the one at it. */
function draftFeeds({ ids, keyValues }: TargetRun, slots: readonly number[]): Record<string, TensorLike> {
  const length = ids.length;
  const bias = new Float32Array(length * 2 * length).fill(HIDDEN);
  for (let query = 0; query < length; query++) {
    const row = query * 2 * length;
    bias.fill(0, row, row + query);
    bias[row + length + query] = 0;
  }
  const names = slots.flatMap((layer) => [keyName(layer), valueName(layer)]);
  return {
    ...sequenceFeeds(ids),
    attention_bias: floatTensor(bias, [1, length, 2 * length]),
    ...Object.fromEntries(names.map((name) => [name, keyValues[name]!])),
  };
}

function sequenceFeeds(ids: readonly number[]): Record<string, TensorLike> {
  const positions = Int32Array.from(ids, (_, t) => t);
  return {
    input_ids: intTensor(Int32Array.from(ids), [1, ids.length]),
    position_ids: intTensor(positions, [1, ids.length]),
  };
}

/** Layers whose attention a draft computes. */
function listSlots({ config }: ModelFolder, dropped: readonly Unit[]): number[] {
  const layers = Array.from({ length: config.numLayers }, (_, layer) => layer);
  return layers.filter((layer) => !includes(dropped, { layer, block: 'attn' }));
}

function keyName(layer: number): string {
  return `key.${layer}`;
}

function valueName(layer: number): string {
  return `value.${layer}`;
}
