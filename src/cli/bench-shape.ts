import { existsSync } from 'node:fs';
import { snakeKeys } from '../artifact/case.ts';
import { chooseThreads, type ThreadChoice } from '../artifact/index.ts';
import { readJsonFile } from '../lib/json-file.ts';
import { describeProcessor } from '../lib/processor.ts';
import { describeMachine } from '../measure/machine.ts';
import {
  ACCEPTANCES,
  type Prediction,
  runShapeBenchmark,
  SHAPES,
  type ShapeBenchmark,
  type ShapeRow,
  WIDTHS,
} from '../measure/shape/index.ts';
import type { CommandContext } from './command.ts';
import { usageError } from './errors.ts';
import { parseRuntime } from './generation-flags.ts';
import { drawTable } from './table.ts';
import { parseNumber } from './values.ts';

/** Flags of `sdfp bench` as far as they go with --shape, and those that do not. */
interface ShapeFlags {
  readonly shape: string;
  readonly rounds?: string | undefined;
  readonly provider?: Parameters<typeof parseRuntime>[0]['provider'];
  readonly threads?: string | undefined;
  readonly json?: boolean | undefined;
  readonly draft?: string | undefined;
  readonly 'draft-tokens'?: string | undefined;
  readonly tokens?: string | undefined;
}

/** `sdfp bench --shape`: what speculation would gain on a model of this shape. */
export async function benchShape(flags: ShapeFlags, { signal, terminal }: CommandContext): Promise<void> {
  for (const name of ['draft', 'draft-tokens', 'tokens'] as const) {
    if (flags[name] !== undefined) throw usageError(`--${name} does not go with --shape`, name);
  }
  const rounds = parseNumber('rounds', flags.rounds ?? '5', { min: 1, isWhole: true });
  const runtime = parseRuntime(flags);
  const config = await readShape(flags.shape);
  terminal.progress.start(`bench of ${flags.shape}`);
  const onProgress = (detail: string, share: number): void => terminal.progress.update({ detail, share });
  const benchmark = await runShapeBenchmark({ config, rounds, runtime, signal, onProgress });
  terminal.progress.finish();
  terminal.write(draw(flags.shape, benchmark));
  if (!flags.json) return;
  const threads = chooseThreads({ measured: null }, { ...runtime, draft: null }, describeProcessor());
  const settings = { rounds, ...threadSettings(threads), provider: runtime.provider ?? 'cpu' };
  terminal.writeJson({ ...toJson(flags.shape, benchmark), settings });
}

/** As JSON; null: as many as ONNX Runtime chooses. */
export function threadSettings({ threads, reason }: ThreadChoice): {
  readonly threads: number | null;
  readonly threads_reason: string;
} {
  return { threads: threads ?? null, threads_reason: reason };
}

async function readShape(shape: string): Promise<unknown> {
  if (Object.hasOwn(SHAPES, shape)) return SHAPES[shape];
  if (existsSync(shape)) return readJsonFile(shape, 'model_unreadable');
  const names = Object.keys(SHAPES).join(', ');
  throw usageError(
    `--shape is ${JSON.stringify(shape)}, needs one of ${names}, or the path of a config.json`,
    'shape',
  );
}

function draw(name: string, benchmark: ShapeBenchmark): string {
  const { config, numWeights, pastTokens, targetMs, rows, seconds, peakRssBytes } = benchmark;
  const { cpu, cores, os, runtime } = describeMachine();
  const steps = WIDTHS.map((width) => `${width}: ${targetMs[width - 1]!.toFixed(2)}`).join(', ');
  const table = drawTable(
    ['draft', 'layers', 'tokens', 'draft ms', 'first ms', 'plain ms', ...ACCEPTANCES.map((a) => `at ${a}`)],
    rows.map(({ draft, costs, predictions }) => [
      draft.precision,
      `${draft.keptLayers}/${config.numLayers}`,
      draft.numTokens === undefined ? 'all' : `${draft.numTokens}`,
      costs.draftMs.toFixed(2),
      (costs.draftStartMs + costs.draftMs).toFixed(2),
      costs.targetMs[0]!.toFixed(2),
      ...predictions.map(drawPrediction),
    ]),
  );
  const best = ACCEPTANCES.map((acceptance, i) => {
    const row = bestRow(rows, i);
    return `  ${acceptance}: ${drawPrediction(row.predictions[i]!)} with ${row.draft.precision}, ${row.draft.keptLayers} layers, ${row.draft.numTokens ?? 'all'} tokens\n`;
  });
  return `${name}: ${(numWeights / 1e6).toFixed(1)} million random weights, f32, past of ${pastTokens} tokens
target ms by new tokens: ${steps}

${table}
tokens: that the draft may propose, of ${config.vocabSize}; its LM head has rows for these alone (at 8 bits in f32 drafts)
at A: speed over plain decoding if a draft token is accepted with probability A, and the best draft length
best:
${best.join('')}machine: ${cpu}, ${cores} cores, ${os}, ${runtime}; batch 1; ${seconds.toFixed(0)} s, peak memory ${Math.round(peakRssBytes / 1e6)} MB
`;
}

function drawPrediction({ speedup, draftLength }: Prediction): string {
  return `${speedup.toFixed(2)} (${draftLength})`;
}

/** The draft that gains most at the acceptance rate of this index. */
function bestRow(rows: readonly ShapeRow[], index: number): ShapeRow {
  const speedup = ({ predictions }: ShapeRow): number => predictions[index]!.speedup;
  return rows.reduce((best, row) => (speedup(row) > speedup(best) ? row : best));
}

function toJson(name: string, benchmark: ShapeBenchmark): object {
  const { config, numWeights, pastTokens, targetMs, rows, seconds, peakRssBytes } = benchmark;
  const drafts = rows.map(({ draft, costs, predictions }) => ({
    numTokens: null,
    ...draft,
    ...costs,
    predictions,
  }));
  const best = ACCEPTANCES.map((_, i) => {
    const { draft, predictions } = bestRow(rows, i);
    return { numTokens: null, ...draft, ...predictions[i] };
  });
  const shape = { name, numLayers: config.numLayers, numWeights };
  const target = { pastTokens, targetMs };
  return snakeKeys({ machine: describeMachine(), shape, target, drafts, best, seconds, peakRssBytes });
}
