/** Facts of the manifest in words, for both forms of the report. */
import { describeMeasuredThreads, type Manifest } from '../artifact/index.ts';
import { bytes, milliseconds, percent, plural } from './format.ts';
import type { Fact } from './html.ts';
import { extraBytes, listPlans } from './plans.ts';
import type { MethodStudy, ReportSetting } from './types.ts';

const SOURCES = { self: 'text that the model wrote itself', file: 'a text file' } as const;
const STOPS = {
  stable: 'the scores were stable',
  cap: 'the most sequences allowed were scored',
  data: 'the text ended',
  none: 'the method needs no text',
} as const;

export function calibrationFacts({ calibration, scores }: Manifest): Fact[] {
  const {
    source,
    fileSha256,
    seed,
    sequences,
    tokens,
    relativeStandardError: error,
    stoppedBy,
  } = calibration;
  return [
    ['Method', scores.method],
    ['Calibration text', SOURCES[source]],
    ...(fileSha256 === null ? [] : ([['SHA-256 of the file', fileSha256]] as const)),
    ['Seed', String(seed)],
    ['Scored', `${plural(sequences, 'sequence')}, ${plural(tokens, 'token')}`],
    ['Relative standard error', error === null ? 'not measured' : percent(error)],
    ['Stopped because', STOPS[stoppedBy]],
  ];
}

/** What rounding the model's own weights has changed; empty where it has them as stored. */
export function targetFacts({ target: { precision, loss } }: Manifest): Fact[] {
  if (precision === 'stored') return [];
  const rows: Fact[] = [['Weights', '4 bits: products of blocks and output layer; all else as stored']];
  if (loss === null)
    return [...rows, ['What it changes', 'not measured: no text of two tokens was held out']];
  const { sequences, tokens, storedNllPerToken: before, nllPerToken: after, agreement } = loss;
  return [
    ...rows,
    ['Negative log likelihood, as stored', `${before.toFixed(4)} nats per token`],
    ['Negative log likelihood, rounded', `${after.toFixed(4)} nats per token`],
    ['Same most likely token', `${(100 * agreement).toFixed(1)}% of positions`],
    [
      'Measured on',
      `${plural(sequences, 'sequence')}, ${plural(tokens, 'predicted token')} that no score has seen`,
    ],
  ];
}

export function modelFacts({
  model,
  engine,
  generation,
  files,
  sdfpVersion,
  schemaVersion,
}: Manifest): Fact[] {
  const size = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    ['Family', model.family],
    ['Layers', `${model.numLayers}, ${2 * model.numLayers} prunable blocks`],
    ['Hidden size; MLP size', `${model.hiddenSize}; ${model.intermediateSize}`],
    ['Heads; key/value heads', `${model.numHeads}; ${model.numKvHeads}, ${model.headDim} wide`],
    [
      'Vocabulary',
      `${plural(model.vocabSize, 'token')}${model.tiedEmbeddings ? ', embedding and output layer tied' : ''}`,
    ],
    ['Context', plural(engine.maxContextTokens, 'token')],
    ['Rotary embedding', `base ${model.rope.theta}, scaling ${model.rope.scaling.type}`],
    ['Sampling defaults', samplingDefaults(generation)],
    ['Artifact', `${plural(files.length, 'file')}, ${bytes(size)}`],
    ['Written by', `sdfp ${sdfpVersion}, schema version ${schemaVersion}`],
  ];
}

function samplingDefaults({ temperature, topP, topK, repetitionPenalty }: Manifest['generation']): string {
  const given = { temperature, 'top p': topP, 'top k': topK, 'repetition penalty': repetitionPenalty };
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  return stated.length === 0 ? 'none stated' : stated.map(([name, value]) => `${name} ${value}`).join(', ');
}

/** Where and when; empty where nothing was measured. */
export function machineFacts({ measured }: Manifest): Fact[] {
  if (measured === null) return [];
  const { date, machine, threads } = measured;
  return [
    ['Processor', machine.cpu],
    ['Cores', String(machine.cores)],
    ['Threads of the session', describeMeasuredThreads(threads, (name) => name)],
    ['Memory', bytes(machine.memoryBytes)],
    ['System', machine.os],
    ['Runtime', machine.runtime],
    ['Measured', date],
  ];
}

/** Times of single steps; empty where nothing was measured. */
export function stepFacts({ measured }: Manifest): Fact[] {
  if (measured === null) return [];
  const { draftMs, draftStartMs, targetMs, verification } = measured.costs;
  return [
    ...(draftMs === null
      ? []
      : ([
          ['Draft step, 1 token', milliseconds(draftMs)],
          ['First draft step of a round', milliseconds(draftMs + draftStartMs)],
        ] as const)),
    ['Target step, 1 token', milliseconds(targetMs)],
    ...verification.map(({ width, ms }): Fact => [`Target step, ${width} tokens`, milliseconds(ms)]),
  ];
}

export function settingFacts(settings: readonly ReportSetting[]): Fact[] {
  return settings.map(({ name, value, isDefault }) => [name, isDefault ? `${value} (default)` : value]);
}

export const PLAN_HEAD: readonly string[] = [
  'Candidate',
  'Skipped blocks',
  'Kept weights',
  'Tokens',
  'Extra memory',
  'Predicted KL',
  'Accepted',
  'Draft step',
  'Predicted tokens/s',
  'Measured tokens/s',
];

/** A row per candidate; an index of `served` that is -1 says that none is. */
export function planTable(manifest: Manifest): { readonly rows: string[][]; readonly served: number } {
  const plans = listPlans(manifest);
  const rows = plans.map(({ draft, facts: found, isServed }) => [
    isServed ? `${draft.name} (served)` : draft.name,
    String(draft.dropped.length),
    percent(draft.keptShare),
    draft.vocabulary === undefined ? 'all' : String(draft.vocabulary.length),
    extraBytes(draft) === 0 ? 'none' : bytes(extraBytes(draft)),
    orDash(draft.predictedKl, (kl) => kl.toPrecision(2)),
    orDash(found?.acceptanceRate, percent),
    orDash(found?.draftMs, milliseconds),
    orDash(found?.predictedTokensPerSecond, oneDecimal),
    orDash(found?.measuredTokensPerSecond, oneDecimal),
  ]);
  return { rows, served: plans.findIndex(({ isServed }) => isServed) };
}

function orDash(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}

function oneDecimal(value: number): string {
  return value.toFixed(1);
}

/** A row per method: the share of the weights and the agreement at each number of dropped units. */
export function methodTable({ methods }: MethodStudy): {
  readonly head: string[];
  readonly rows: string[][];
} {
  const points = methods[0]?.points ?? [];
  const head = ['Method', ...points.map(({ dropped }) => `${dropped} skipped`)];
  const cell = ({ agreement, keptShare }: MethodStudy['methods'][number]['points'][number]) =>
    `${agreement.toFixed(3)} (${percent(keptShare)})`;
  return { head, rows: methods.map(({ method, points: own }) => [method, ...own.map(cell)]) };
}
