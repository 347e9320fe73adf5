import type { PlanFacts } from '../api/index.ts';
import { find, make, say } from './dom.ts';
import { describePlan, isLogarithmic, type Plan, type PlanCell, planRows, type UnitState } from './plan.ts';

/** Also the legend's words. */
const STATE_WORDS: Readonly<Record<UnitState, string>> = {
  kept: 'kept',
  int8: '8 bits',
  int4: '4 bits',
  a8: '8-bit activations',
  skipped: 'skipped',
};

/** Draws the plan that a server tells; `undefined`: it tells none. */
export function showPlan(plan: Plan | undefined): void {
  const facts = plan?.inspect;
  const hasUnits = facts != null && facts.units.length > 0;
  find('plan-picture', HTMLElement).hidden = !hasUnits;
  say('plan-summary', hasUnits ? describePlan(facts) : 'The server does not tell its plan.');
  if (!hasUnits) return;
  const scale = isLogarithmic(facts.units.map(({ score }) => score)) ? ' on a logarithmic scale' : '';
  say(
    'plan-method',
    `The bars are scores (method ${facts.method})${scale}: the longer, the more the block matters.`,
  );
  find('plan-rows', HTMLTableSectionElement).replaceChildren(...drawRows(facts));
}

function drawRows(facts: PlanFacts): HTMLElement[] {
  return planRows(facts).map(({ layer, attn, mlp }) => {
    const head = make('th', '', String(layer));
    head.scope = 'row';
    return make('tr', '', head, drawCell(attn), drawCell(mlp));
  });
}

function drawCell({ score, state, barLength }: PlanCell): HTMLElement {
  const bar = make('span', `bar ${state}`);
  bar.style.setProperty('--length', barLength.toFixed(4)); // by script: the policy forbids styles in HTML
  const words = make('span', 'cell-words', STATE_WORDS[state]);
  return make('td', '', bar, make('span', 'score', formatScore(score)), words);
}

function formatScore(score: number): string {
  if (score === 0) return '0';
  const size = Math.abs(score);
  return size >= 0.001 && size < 1e4 ? String(Number(score.toPrecision(3))) : score.toExponential(1);
}
