import { type Manifest, servedDraft } from '../artifact/index.ts';
import { percent, plural, speed, times } from './format.ts';
import { describeDraft } from './plans.ts';

/** A figure of the page's head. */
export interface HeadlineFigure {
  readonly value: string;
  readonly label: string;
}

/** What the model is, and what is served, in two sentences of plain text. */
export function summarise(manifest: Manifest): readonly [string, string] {
  return [describeModel(manifest), describeSpeed(manifest)];
}

function describeModel(manifest: Manifest): string {
  const { name, model, scores, target } = manifest;
  const { family, numLayers, hiddenSize, maxPositions } = model;
  const what = `${name} is a ${family} language model of ${plural(numLayers, 'layer')}, hidden size ${hiddenSize}, for up to ${maxPositions} tokens${target.precision === 'int4' ? ', with weights rounded to 4 bits' : ''}`;
  const draft = servedDraft(manifest);
  if (draft === undefined)
    return `${what}; it is served without a draft: guesses come from what was written before alone.`;
  return `${what}; it is served with a draft made of itself, which ${describeDraft(draft, scores.units.length, target.precision)}.`;
}

function describeSpeed(manifest: Manifest): string {
  const { measured } = manifest;
  if (measured === null) return 'Nothing was measured when it was built.';
  const { machine, plainTokensPerSecond: plain, measuredTokensPerSecond: fast } = measured;
  const lookup = `${times(measured.lookupTokensPerSecond / plain)} by guesses from what was written before`;
  const where = `On ${machine.cpu} with ${plural(machine.cores, 'core')}`;
  if (servedDraft(manifest) === undefined) {
    return `${where} it writes ${speed(plain)} tokens per second, ${lookup}; none of ${plural(measured.candidates.length, 'draft')} made it faster.`;
  }
  const accepted =
    measured.acceptanceRate === null
      ? ''
      : `${percent(measured.acceptanceRate)} of the drafted tokens are accepted, and `;
  return `${where} it writes ${speed(fast)} tokens per second instead of ${speed(plain)}, ${times(fast / plain)} the speed (${lookup} alone); ${accepted}the text is the one that it writes without the draft.`;
}

/** The figures that matter most; none where nothing was measured. */
export function headlineFigures(manifest: Manifest): HeadlineFigure[] {
  const { measured } = manifest;
  const draft = servedDraft(manifest);
  if (measured === null) return [];
  const plain = { value: speed(measured.plainTokensPerSecond), label: 'tokens/s without guesses' };
  const lookup = { value: speed(measured.lookupTokensPerSecond), label: 'tokens/s by prompt lookup alone' };
  if (draft === undefined) return [plain, lookup];
  const { measuredTokensPerSecond: fast, acceptanceRate } = measured;
  return [
    { value: times(fast / measured.plainTokensPerSecond), label: 'the speed of plain decoding' },
    { value: speed(fast), label: 'tokens/s with the draft' },
    lookup,
    plain,
    ...(acceptanceRate === null
      ? []
      : [{ value: percent(acceptanceRate), label: 'of drafted tokens accepted' }]),
    { value: percent(draft.keptShare), label: 'of the block weights kept' },
  ];
}
