/** The sections of the page, top to bottom. */
import { servedDraft } from '../artifact/index.ts';
import {
  calibrationFacts,
  machineFacts,
  methodTable,
  modelFacts,
  PLAN_HEAD,
  planTable,
  settingFacts,
  stepFacts,
  targetFacts,
} from './facts.ts';
import { bytes, percent, plural } from './format.ts';
import { facts, figure, type Html, html, table } from './html.ts';
import * as legends from './legends.ts';
import { listPlans, listUnitRows, type PlanRow } from './plans.ts';
import { plotAcceptance } from './plots/acceptance.ts';
import { plotFrontier, plotPlanSpeeds } from './plots/frontier.ts';
import { plotInteractions } from './plots/interactions.ts';
import { plotLengths } from './plots/lengths.ts';
import { plotMethods } from './plots/methods.ts';
import { plotScores } from './plots/scores.ts';
import { headlineFigures, summarise } from './summary.ts';
import type { ExampleText, ReportInput } from './types.ts';

/** What it is and how fast. */
export function head({ manifest }: ReportInput): Html {
  const figures = headlineFigures(manifest);
  return html`<header>
<p class="kicker">sdfp build report</p>
<h1>${manifest.name}</h1>
<p class="lead">${summarise(manifest).join(' ')}</p>
</header>
${
  figures.length === 0
    ? null
    : html`<dl class="figures-row">${figures.map(({ value, label }) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
}`;
}

/** Scores and interactions. */
export function plan({ manifest }: ReportInput): Html {
  const rows = listUnitRows(manifest);
  const { scores } = manifest;
  return html`<section><h2>The draft, block by block</h2>
<p class="intro">Every layer has two blocks that a draft can skip: attention and MLP. A low score means that skipping the block changes little of what the model says.</p>
<div class="grid">
${figure({
  title: 'Score of every block',
  caption: `By layer, from the input at the top to the output at the bottom. Method ${scores.method}.`,
  legend: legends.states(rows),
  plot: plotScores(rows, scores.method),
  table: table(
    ['Block', 'Score', 'In the draft'],
    rows.map(({ name, score, state }) => [name, score.toPrecision(4), state]),
  ),
})}
${scores.matrix === null ? html`<p class="intro">The method ${scores.method} scores blocks one by one, without interactions.</p>` : interactions(scores.matrix)}
</div></section>`;
}

function interactions(matrix: readonly (readonly number[])[]): Html {
  return figure({
    title: 'Interaction of every two blocks',
    caption:
      'Fisher information of two gates over the geometric mean of their own; a layer has two rows and columns, attention first. The area is the strength, a square that fills its cell is ±1.',
    legend: legends.interactions(),
    plot: plotInteractions(matrix),
  });
}

/** Kept share against agreement. */
export function methods({ manifest, study }: ReportInput): Html | null {
  if (study === null) return null;
  const { scoredSequences, heldOutSequences, positions } = study.methods;
  const used = manifest.scores.method;
  const { head: columns, rows } = methodTable(study.methods);
  return html`<section><h2>Whether the scores choose well</h2>
<p class="intro">Each method chose drafts that skip the same numbers of blocks, from scores on ${plural(scoredSequences, 'sequence')}. Agreement is the share of ${positions} positions in ${plural(heldOutSequences, 'sequence')} of text that no score has seen at which draft and model find the same token most likely${manifest.target.precision === 'int4' ? ', both with the weights as stored' : ''}.</p>
<div class="grid">
${figure({
  title: 'Agreement against kept weights, by method',
  caption: `Higher is better at the same kept share. This artifact uses ${used}, the thick line.`,
  plot: plotMethods(study.methods, used),
})}
<figure><h3>In figures</h3><figcaption>Agreement; in brackets the share of the block weights that is kept.</figcaption>${table(
    columns,
    rows,
    study.methods.methods.findIndex(({ method }) => method === used),
  )}</figure>
</div></section>`;
}

/** Acceptance and speed of the draft. */
export function speeds({ manifest, study }: ReportInput): Html | null {
  const draft = study?.draft ?? null;
  const served = manifest.measured?.acceptanceByPosition ?? [];
  const byPosition = served.length > 0 ? served : (draft?.acceptanceByPosition ?? []);
  if (byPosition.length === 0 && draft === null) return null;
  return html`<section><h2>How far the draft carries</h2>
<p class="intro">In every round the draft proposes a few tokens, one after the other, and the model verifies them in a single step; those in front of the first wrong one are accepted.</p>
<div class="grid">
${byPosition.length === 0 ? null : acceptance(byPosition)}
${draft === null ? null : lengths(draft)}
</div></section>`;
}

function acceptance(byPosition: readonly number[]): Html {
  return figure({
    title: 'Acceptance by position',
    caption: 'Of the drafts that came so far, the share whose token at this position was accepted.',
    legend: legends.acceptance(),
    plot: plotAcceptance(byPosition),
    table: table(
      ['Position', 'Accepted'],
      byPosition.map((share, i) => [String(i + 1), percent(share)]),
    ),
  });
}

function lengths({ name, lengths: measured }: NonNullable<NonNullable<ReportInput['study']>['draft']>): Html {
  return figure({
    title: 'Speed against draft length',
    caption: `The draft ${name} at fixed draft lengths; when serving, the length is chosen anew for each round. Predicted from acceptance and the times of single steps.`,
    legend: legends.lengths(),
    plot: plotLengths(measured),
    table: table(
      ['Draft length', 'Predicted tokens/s', 'Measured tokens/s'],
      measured.map((row) => [
        String(row.draftLength),
        row.predictedTokensPerSecond.toFixed(1),
        row.measuredTokensPerSecond.toFixed(1),
      ]),
    ),
  });
}

/** Every draft that was considered. */
export function candidates({ manifest }: ReportInput): Html | null {
  const { measured } = manifest;
  const plans = listPlans(manifest);
  if (measured === null || plans.length === 0) return null;
  const { targetMs } = measured.costs;
  const { rows, served } = planTable(manifest);
  return html`<section><h2>The candidates</h2>
<p class="intro">A draft pays when it is right often enough for what its steps cost. ${servedDraft(manifest) === undefined ? 'None did here.' : 'The ring marks the one that is served.'} ${unmeasured(plans)}</p>
<div class="grid">
${figure({
  title: 'Acceptance against cost',
  caption: 'Up and to the left is better. The dashed line joins the candidates that no other beats in both.',
  legend: legends.candidates(plans),
  plot: plotFrontier(plans, targetMs),
})}
${figure({
  title: 'Speed of the candidates',
  caption: 'All were predicted from acceptance and step times; the most promising ones were run.',
  legend: legends.planSpeeds(plans),
  plot: plotPlanSpeeds(plans, targetMs, measured.plainTokensPerSecond),
})}
<figure class="wide"><h3>In figures</h3>${table(PLAN_HEAD, rows, served)}</figure>
</div></section>`;
}

/** Why some candidates have no figures. */
function unmeasured(plans: readonly PlanRow[]): string {
  const count = plans.filter(({ facts: found }) => found?.acceptanceRate === null).length;
  if (count === 0) return '';
  return `Not measured: ${plural(count, 'candidate')} that not even full acceptance would make the fastest.`;
}

/** A text with who wrote what. */
export function example({ manifest, study }: ReportInput): Html | null {
  if (study === null || study.example === null) return null;
  const { prompt, pieces, temperature, seed } = study.example;
  return html`<section><h2>A text, token by token</h2>
<p class="intro">Written ${writerOf(manifest, study)} at temperature ${temperature} with seed ${seed}; ${originShares(study.example)}. With the same seed the text is the same without any draft.</p>
<ul class="legend key">${legends.origins(study.example).map(({ name, text }) => html`<li><span class="${name}">${text}</span></li>`)}</ul>
<p class="example"><span class="prompt">${prompt}</span>${pieces.map(piece)}</p>
</section>`;
}

/** The served engine; where no draft pays, it was told to draft all the same. */
function writerOf(manifest: ReportInput['manifest'], { draft }: NonNullable<ReportInput['study']>): string {
  if (draft === null || servedDraft(manifest) !== undefined) return 'as this artifact is served,';
  return `with the draft ${draft.name}, which is not served,`;
}

/** Space in front of a word carries no mark, so that words stand apart. */
function piece({ text, origin }: ExampleText['pieces'][number]): Html {
  const word = text.trimStart();
  return html`${text.slice(0, text.length - word.length)}<span class="${origin}">${word}</span>`;
}

function originShares({ pieces }: ExampleText): string {
  const own = pieces.filter(({ origin }) => origin === 'target').length;
  return `${pieces.length - own} of ${plural(pieces.length, 'token')} were guessed and accepted, ${own} are the model’s own`;
}

/** How it was made, and what it is made of. */
export function making({ manifest, settings }: ReportInput): Html {
  const groups = [
    ['Rounding of the model', targetFacts(manifest)],
    ['Calibration', calibrationFacts(manifest)],
    ['Settings of the build', settingFacts(settings)],
    ['Model', modelFacts(manifest)],
    ['Machine', machineFacts(manifest)],
    ['Least step times', stepFacts(manifest)],
  ] as const;
  return html`<section><h2>How it was made</h2>
<div class="columns">${groups
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => html`<figure><h3>${title}</h3>${facts(rows)}</figure>`)}
<figure><h3>Files</h3>${table(
    ['Name', 'Role', 'Size', 'SHA-256'],
    manifest.files.map(({ name, role, bytes: size, sha256 }) => [
      name,
      role,
      bytes(size),
      `${sha256.slice(0, 12)}…`,
    ]),
  )}</figure></div></section>`;
}
