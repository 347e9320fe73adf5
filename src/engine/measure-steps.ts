import { median } from '../lib/median.ts';
import type { StepCosts } from '../lib/speedup.ts';
import type { ModelRunner, ModelSequence, StepMode } from './model.ts';

/** What of a model is measured. */
export interface TimedModel extends Pick<ModelRunner, 'hasDraft'> {
  openSequence(): TimedSequence;
}

type TimedSequence = Pick<ModelSequence, 'length' | 'forward' | 'trim' | 'dispose'>;

/** What to measure. */
export interface MeasureStepsOptions {
  /** Positions in the KV cache before each measured step. */
  readonly pastTokens: number;
  /** Target steps of 1 to this many tokens are measured; all of them where `widths` is not given. */
  readonly widest: number;
  /** Widths to run; those between are interpolated. 1 and `widest` are always among them. */
  readonly widths?: readonly number[];
  /** Runs of each kind that count, after one that does not. */
  readonly runs: number;
  /** `least`: contention only ever adds, so a few runs on a busy machine tell more by their least; default `median`. */
  readonly statistic?: 'median' | 'least';
  /** No new run is begun after this long; every kind has run once by then. */
  readonly budgetMs?: number;
}

/**
 * Draft steps that are timed together, between two target steps as in a round: the first finds some of its weights pushed
 * out of the caches. After several target steps in a row all of them are, and a step seems to take up to twice as long.
 */
const DRAFT_CHAIN = 4;
/** A plain step follows another: after a draft or a verification some of its weights are out of the caches too. The last counts. */
const PLAIN_CHAIN = 2;

/** Time before the first step that counts; a large model's first steps alone take longer. */
const WARM_UP_MS = 200;

/** Any token will do: the time of a step does not depend on it. */
const SOME_TOKEN = 0;

interface Kind {
  readonly mode: StepMode;
  readonly width: number;
  /** Milliseconds of each step of each run. */
  readonly runs: number[][];
}

/** Milliseconds of draft steps and of target steps by width. The kinds take turns, so a drift of the machine hits all alike. */
export function measureSteps(model: TimedModel, options: MeasureStepsOptions): StepCosts {
  const widths = [...new Set([1, ...(options.widths ?? countTo(options.widest)), options.widest])];
  const draft: Kind = { mode: 'draft', width: 1, runs: [] };
  const target = widths.map((width): Kind => ({ mode: 'target', width, runs: [] }));
  // A verification follows a draft. Without a draft, a draft step is a target step.
  const [plain, ...verifications] = target;
  const kinds = model.hasDraft ? [plain!, draft, ...verifications.flatMap((kind) => [kind, draft])] : target;
  const sequence = model.openSequence();
  try {
    fillCache(sequence, options.pastTokens);
    timeKinds(sequence, kinds, options);
  } finally {
    sequence.dispose();
  }
  const typical = options.statistic === 'least' ? (times: number[]) => Math.min(...times) : median;
  const points = target.map(({ width, runs }) => ({
    width,
    ms: typical(runs.map((steps) => steps.at(-1)!)),
  }));
  const targetMs = interpolate(points, options.widest);
  if (!model.hasDraft) return { draftMs: targetMs[0]!, draftStartMs: 0, targetMs };
  const firstMs = typical(draft.runs.map(([first]) => first!));
  const draftMs = typical(draft.runs.map(([, ...next]) => mean(next)));
  return { draftMs, draftStartMs: Math.max(0, firstMs - draftMs), targetMs };
}

function fillCache(sequence: TimedSequence, tokens: number): void {
  for (let left = tokens; left > 0; left -= 64) {
    sequence.forward(new Array<number>(Math.min(64, left)).fill(SOME_TOKEN), 1, 'target');
  }
}

function timeKinds(sequence: TimedSequence, kinds: readonly Kind[], options: MeasureStepsOptions): void {
  const deadline = performance.now() + (options.budgetMs ?? Number.POSITIVE_INFINITY);
  warmUp(sequence, kinds);
  for (let run = 0; run < options.runs; run++) {
    for (const kind of kinds) {
      if (run > 0 && performance.now() > deadline) return;
      kind.runs.push(timeSteps(sequence, kind));
    }
  }
}

/** The runtime allocates on the first run of a shape; JavaScript is compiled over the first few dozen, which hides what a draft saves. */
function warmUp(sequence: TimedSequence, kinds: readonly Kind[]): void {
  const deadline = performance.now() + WARM_UP_MS;
  do for (const kind of kinds) timeSteps(sequence, kind);
  while (performance.now() < deadline);
}

/** Milliseconds of each step of a run. */
function timeSteps(sequence: TimedSequence, { mode, width }: Kind): number[] {
  const past = sequence.length;
  const ids = new Array<number>(width).fill(SOME_TOKEN);
  const chain = mode === 'draft' ? DRAFT_CHAIN : width === 1 ? PLAIN_CHAIN : 1;
  const times = Array.from({ length: chain }, () => {
    const started = performance.now();
    sequence.forward(ids, width, mode);
    return performance.now() - started;
  });
  sequence.trim(past);
  return times;
}

/** Entry i is the cost of i + 1 tokens, on straight lines between the measured widths. */
function interpolate(points: { width: number; ms: number }[], widest: number): number[] {
  const sorted = points.sort((a, b) => a.width - b.width);
  return countTo(widest).map((width) => {
    const above = sorted.find((point) => point.width >= width)!;
    const below = sorted.findLast((point) => point.width <= width)!;
    if (above.width === below.width) return above.ms;
    const share = (width - below.width) / (above.width - below.width);
    return below.ms + share * (above.ms - below.ms);
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function countTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}
