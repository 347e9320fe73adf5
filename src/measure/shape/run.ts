import { MAX_CHOSEN_DRAFT_LENGTH } from '../../engine/index.ts';
import { type ModelConfig, type ModelFolder, parseConfig } from '../../hf/index.ts';
import { median } from '../../lib/median.ts';
import { readPeakRssBytes } from '../../lib/memory.ts';
import { bestDraftLength, type StepCosts } from '../../lib/speedup.ts';
import type { DraftPlan } from '../../plan/types.ts';
import { overWidths } from '../least-costs.ts';
import { listShapeDrafts, planOfShapeDraft, type ShapeDraft } from './drafts.ts';
import { type MeasurePlanOptions, measurePlan, pastTokensOf, refuseShortContext } from './measure-plan.ts';
import { writeRandomModel, writeRandomRounded } from './random-model.ts';
import { countWeights, listRoundedFiles, refuseTooLarge } from './room.ts';
import { openScratchFolder } from './scratch-folder.ts';

/** Acceptance rates that speed is predicted for. */
export const ACCEPTANCES = [0.6, 0.7, 0.8, 0.9, 0.95] as const;

/** What to measure. */
export interface ShapeBenchmarkOptions extends MeasurePlanOptions {
  /** Content of a config.json. */
  readonly config: unknown;
  readonly onProgress: (detail: string, share: number) => void;
}

/** The best that a draft can do at an acceptance rate. */
export interface Prediction {
  readonly acceptance: number;
  /** 0: plain decoding is faster. */
  readonly draftLength: number;
  /** Over plain decoding of the same session. */
  readonly speedup: number;
}

/** A draft with what it costs and would gain. */
export interface ShapeRow {
  readonly draft: ShapeDraft;
  /** Target steps included, as measured in the same session: a machine drifts by a tenth within a minute. */
  readonly costs: StepCosts;
  /** One for each of {@linkcode ACCEPTANCES}. */
  readonly predictions: readonly Prediction[];
}

export interface ShapeBenchmark {
  readonly config: ModelConfig;
  readonly numWeights: number;
  readonly pastTokens: number;
  /** Target steps by new tokens less one: medians over all sessions, which compute the same there. */
  readonly targetMs: readonly number[];
  readonly rows: readonly ShapeRow[];
  readonly seconds: number;
  /** Of this process. */
  readonly peakRssBytes: number;
}

/**
 * Times the steps of a model of some shape with random weights: target steps by width and draft steps at every precision
 * and depth, with all tokens and an eighth of them, each draft in a session of its own. What the weights are does not matter
 * to the time, so speed follows from the costs for any acceptance. Throws SdfpError `model_unreadable` and `model_unsupported` as `parseConfig` does, and
 * `invalid_request` if the machine has no room for it; the files it writes are gone in any case.
 */
export async function runShapeBenchmark(options: ShapeBenchmarkOptions): Promise<ShapeBenchmark> {
  const started = performance.now();
  const config = parseConfig(options.config);
  refuseShortContext(config);
  using scratch = await openScratchFolder();
  await refuseTooLarge(config, scratch.path);
  const folder = await writeFolder(scratch.path, options);
  const drafts = listShapeDrafts(config);
  const measure = (plan: DraftPlan, detail: string, done: number) => {
    const onRound = (share: number) => options.onProgress(detail, (done + share) / (drafts.length + 1));
    return measurePlan(folder, plan, options, onRound);
  };
  const plain = await measure({ dropped: [] }, 'target', 0);
  const rows: ShapeRow[] = [];
  for (const draft of drafts) {
    const tokens = draft.numTokens === undefined ? '' : `, ${draft.numTokens} tokens`;
    const name = `${draft.precision}, ${draft.keptLayers} of ${config.numLayers} layers${tokens}`;
    const costs = await measure(planOfShapeDraft(draft, config.numLayers), name, rows.length + 1);
    rows.push({ draft, costs, predictions: predictAll(costs) });
  }
  const targetMs = overWidths([plain, ...rows.map(({ costs }) => costs)], median);
  const seconds = (performance.now() - started) / 1000;
  const facts = { pastTokens: pastTokensOf(config), seconds, peakRssBytes: readPeakRssBytes() };
  return { config, numWeights: countWeights(config), targetMs, rows, ...facts };
}

async function writeFolder(
  dir: string,
  { config, signal, onProgress }: ShapeBenchmarkOptions,
): Promise<ModelFolder> {
  const writing = (detail: string) => ({
    signal,
    onProgress: (share: number) => onProgress(`writing ${detail} (${Math.round(100 * share)}%)`, 0),
  });
  const folder = await writeRandomModel(dir, config, writing('random weights'));
  for (const layout of listRoundedFiles(folder.config)) {
    await writeRandomRounded(dir, layout, writing(`${layout.rounding} weights`));
  }
  return folder;
}

function predictAll(costs: StepCosts): Prediction[] {
  return ACCEPTANCES.map((acceptance) => ({
    acceptance,
    ...bestDraftLength(acceptance, costs, MAX_CHOSEN_DRAFT_LENGTH),
  }));
}
