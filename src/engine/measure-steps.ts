import type { StepCosts } from '../lib/speedup.ts';
import type { ModelRunner, ModelSequence, StepMode } from './model.ts';

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
  /** No new run is begun after this long; every kind has run once by then. */
  readonly budgetMs?: number;
}

/** Any token will do: the time of a step does not depend on it. */
const SOME_TOKEN = 0;

interface Kind {
  readonly mode: StepMode;
  readonly width: number;
  readonly times: number[];
}

/** Median milliseconds of a draft step and of target steps by width. The kinds take turns, so a drift of the machine hits all alike. */
export function measureSteps(model: ModelRunner, options: MeasureStepsOptions): StepCosts {
  const widths = [...new Set([1, ...(options.widths ?? countTo(options.widest)), options.widest])];
  const draft: Kind = { mode: 'draft', width: 1, times: [] };
  const target = widths.map((width): Kind => ({ mode: 'target', width, times: [] }));
  const sequence = model.openSequence();
  try {
    fillCache(sequence, options.pastTokens);
    timeKinds(sequence, [draft, ...target], options);
  } finally {
    sequence.dispose();
  }
  const points = target.map(({ width, times }) => ({ width, ms: median(times) }));
  return { draftMs: median(draft.times), targetMs: interpolate(points, options.widest) };
}

function fillCache(sequence: ModelSequence, tokens: number): void {
  for (let left = tokens; left > 0; left -= 64) {
    sequence.forward(new Array<number>(Math.min(64, left)).fill(SOME_TOKEN), 1, 'target');
  }
}

function timeKinds(sequence: ModelSequence, kinds: readonly Kind[], options: MeasureStepsOptions): void {
  const deadline = performance.now() + (options.budgetMs ?? Number.POSITIVE_INFINITY);
  for (const kind of kinds) timeStep(sequence, kind); // warms up: the runtime allocates on the first run of a shape
  for (let run = 0; run < options.runs; run++) {
    for (const kind of kinds) {
      if (kind.times.length > 0 && performance.now() > deadline) return;
      kind.times.push(timeStep(sequence, kind));
    }
  }
}

function timeStep(sequence: ModelSequence, { mode, width }: Kind): number {
  const past = sequence.length;
  const ids = new Array<number>(width).fill(SOME_TOKEN);
  const started = performance.now();
  sequence.forward(ids, width, mode);
  const ms = performance.now() - started;
  sequence.trim(past);
  return ms;
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

function countTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
