import {
  describeMeasuredThreads,
  type Manifest,
  type MeasuredFacts,
  servedDraft,
  type TargetFacts,
} from '../artifact/index.ts';
import type { Unit } from '../plan/types.ts';
import { drawTable } from './table.ts';
import type { Paint } from './terminal.ts';

const BAR_WIDTH = 16;

/** The plan layer by layer: what the draft keeps and skips, each block with its score as a bar and a number. */
export function drawPlan(manifest: Manifest, paint: Paint): string {
  const { model, scores } = manifest;
  const fates = fatesOf(manifest);
  const barOf = scaleOf(scores.units.map(({ score }) => score));
  const cell = (index: number): string => {
    const { name, score } = scores.units[index]!;
    const bar = '█'.repeat(barOf(score)).padEnd(BAR_WIDTH, '·');
    const number = score.toPrecision(3).padEnd(9);
    const fate = fates.get(name) ?? 'keep';
    return fate === 'skip'
      ? paint('dim', `[${bar}] ${number} skip`)
      : paint('green', ` ${bar}  ${number} ${fate}`);
  };
  const lines = Array.from(
    { length: model.numLayers },
    (_, layer) => `${String(layer).padStart(5)}  ${cell(2 * layer)}   ${cell(2 * layer + 1)}`,
  );
  const head = `layer   ${'attention'.padEnd(BAR_WIDTH + 18)} MLP`;
  return [describeModel(manifest), describePlan(manifest), '', head, ...lines].join('\n');
}

/**
 * What the served draft does with units: `skip`, `int8`, `int4` (`a8` where these are the target's own weights); those it
 * shares with the target are not in the map.
 */
function fatesOf(manifest: Manifest): ReadonlyMap<string, string> {
  const draft = servedDraft(manifest);
  const named = (units: readonly Unit[] = [], fate: string) =>
    units.map(({ layer, block }): [string, string] => [`${layer}.${block}`, fate]);
  return new Map([
    ...named(draft?.dropped, 'skip'),
    ...named(draft?.int4, manifest.target.precision === 'int4' ? 'a8' : 'int4'),
    ...named(draft?.int8, 'int8'),
  ]);
}

/** Lengths of bars. Scores of one model span orders of magnitude, so the scale is logarithmic where it can be. */
function scaleOf(scores: readonly number[]): (score: number) => number {
  const isLog = scores.every((score) => score > 0);
  const place = isLog ? Math.log : (score: number) => score;
  const [low, high] = [place(Math.min(...scores)), place(Math.max(...scores))];
  return (score) =>
    high === low ? 1 : 1 + Math.round(((place(score) - low) / (high - low)) * (BAR_WIDTH - 1));
}

function describeModel({ name, model, sdfpVersion }: Manifest): string {
  const { family, numLayers, hiddenSize, vocabSize, maxPositions } = model;
  return `${name}: ${family}, ${numLayers} layers, hidden size ${hiddenSize}, vocabulary ${vocabSize}, context ${maxPositions} tokens; baked by sdfp ${sdfpVersion}`;
}

function describePlan(manifest: Manifest): string {
  const draft = servedDraft(manifest);
  const { drafts, scores, measured } = manifest;
  if (draft === undefined) {
    return `draft: none is served (${measured === null ? 'not measured' : 'none pays'}), ${drafts.length} proposed`;
  }
  const why =
    measured?.chosenBy === 'keep' ? 'as --keep said' : `fastest of ${drafts.length} on the machine below`;
  const extra = draft.extraBytes ?? 0;
  const memory = extra === 0 ? 'no weights of its own' : `${(extra / 1e6).toFixed(1)} MB of rounded weights`;
  const { vocabulary } = draft;
  const tokens =
    vocabulary === undefined
      ? ''
      : `, proposes ${vocabulary.length} of the ${manifest.model.vocabSize} tokens`;
  return `draft: ${draft.name} skips ${draft.dropped.length} of ${scores.units.length} blocks, keeps ${percent(draft.keptShare)} of the block weights${tokens}, ${memory} (${why})`;
}

/** Scores, calibration, files and measurements in lines. */
export function drawNumbers(manifest: Manifest): string {
  const { scores, calibration, files, measured } = manifest;
  const { source, sequences, tokens, relativeStandardError: error, stoppedBy, seed } = calibration;
  const text = source === 'self' ? `its own text, seed ${seed}` : 'a text file';
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    `scores       ${scores.method} on ${sequences} sequences (${tokens} tokens) of ${text}; relative standard error ${error === null ? 'not measured' : error.toPrecision(3)}, stopped by ${stoppedBy}`,
    `files        ${files.length}, ${(bytes / 1e6).toFixed(1)} MB: ${files.map(({ name }) => name).join(', ')}`,
    ...drawTarget(manifest.target),
    ...(measured === null ? ['measured     nothing'] : drawMeasured(measured)),
    ...drawDrafts(manifest),
  ].join('\n');
}

function drawTarget({ precision, loss }: TargetFacts): string[] {
  if (loss === null) return precision === 'stored' ? [] : [`target       ${precision}, loss not measured`];
  const { storedNllPerToken: before, nllPerToken: after, agreement, sequences, tokens } = loss;
  return [
    `target       ${precision}: ${after.toFixed(4)} nats per token (as stored ${before.toFixed(4)}), the same most likely token at ${(100 * agreement).toFixed(1)}% of positions; ${sequences} held-out sequences, ${tokens} tokens`,
  ];
}

function drawMeasured(measured: MeasuredFacts): string[] {
  const { machine, costs, acceptanceRate, acceptanceByPosition: byPosition } = measured;
  const steps = [
    `target ${costs.targetMs.toFixed(2)} ms`,
    ...(costs.draftMs === null
      ? []
      : [
          `draft ${costs.draftMs.toFixed(2)} ms (first of a round ${(costs.draftMs + costs.draftStartMs).toFixed(2)} ms)`,
        ]),
    ...costs.verification.map(({ width, ms }) => `${width} tokens ${ms.toFixed(2)} ms`),
  ];
  const speed = (value: number): string => value.toFixed(1);
  const { plainTokensPerSecond: plain, lookupTokensPerSecond: lookup } = measured;
  const served =
    measured.servedDraft === null
      ? ', which is served'
      : `, ${speed(measured.measuredTokensPerSecond)} with the draft too (${(measured.measuredTokensPerSecond / plain).toFixed(2)}x; predicted ${speed(measured.predictedTokensPerSecond)})`;
  return [
    `measured     ${measured.date} on ${machine.cpu}, ${machine.cores} cores, ${machine.os}, ${machine.runtime}`,
    `threads      ${describeMeasuredThreads(measured.threads, (name, tokensPerSecond) => `${name} ${speed(tokensPerSecond)} tokens/s`)}`,
    `acceptance   ${acceptanceRate === null ? 'no draft' : percent(acceptanceRate)}${byPosition.length === 0 ? '' : `; by position ${byPosition.map(percent).join(' ')}`}`,
    `steps        ${steps.join(', ')}`,
    `speed        ${speed(plain)} tokens/s plain, ${speed(lookup)} by prompt lookup alone (${(lookup / plain).toFixed(2)}x)${served}`,
  ];
}

/** One line per draft; a star marks the served one. */
function drawDrafts(manifest: Manifest): string[] {
  const { drafts, measured } = manifest;
  const rows = drafts.map((draft) => {
    const facts = measured?.candidates.find(({ name }) => name === draft.name);
    return [
      `${draft === servedDraft(manifest) ? '* ' : ''}${draft.name}`,
      String(draft.dropped.length),
      percent(draft.keptShare),
      draft.vocabulary === undefined ? 'all' : `${draft.vocabulary.length}`,
      ((draft.extraBytes ?? 0) / 1e6).toFixed(1),
      facts?.acceptanceRate == null ? '-' : percent(facts.acceptanceRate),
      facts?.draftMs.toFixed(2) ?? '-',
      facts?.predictedTokensPerSecond?.toFixed(1) ?? '-',
      facts?.measuredTokensPerSecond?.toFixed(1) ?? '-',
    ];
  });
  if (rows.length === 0) return [];
  const head = [
    'draft',
    'skipped',
    'kept',
    'tokens',
    'extra MB',
    'accepted',
    'step ms',
    'predicted',
    'tokens/s',
  ];
  return [drawTable(head, rows).trimEnd().replace(/^/gm, '  ')];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}
