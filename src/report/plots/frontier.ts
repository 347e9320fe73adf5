import * as Plot from '@observablehq/plot';
import { extraBytes, type PlanRow, UNIT_STATES, type UnitState } from '../plans.ts';
import { COLOR, drawPlot, spreadApart } from './draw.ts';
import { STATE_LOOK } from './symbols.ts';

interface Plan {
  readonly name: string;
  readonly precision: UnitState;
  readonly isServed: boolean;
  /** Draft step over target step. */
  readonly cost: number;
  /** Null, as the prediction: not measured. */
  readonly acceptance: number | null;
  readonly keptShare: number;
  readonly extraMb: number;
  readonly predicted: number | null;
  readonly measured: number | null;
}

/** What a draft step costs against how often it is right; the line joins those that nothing beats in both. */
export function plotFrontier(rows: readonly PlanRow[], targetMs: number): string {
  const plans = listPlans(rows, targetMs).filter(({ acceptance }) => acceptance !== null);
  const place = { x: 'cost', y: 'acceptance' } as const;
  const best = frontierOf(plans);
  return drawPlot('Acceptance rate against the cost of a draft step, for every candidate', {
    height: 320,
    marginLeft: 40,
    marginRight: 20,
    marginBottom: 40,
    marginTop: 26,
    x: { label: 'draft step / target step →', zero: true, nice: true, ticks: 5 },
    y: { label: '↑ accepted', domain: [0, 1], tickFormat: '.0%', ticks: 5 },
    marks: [
      Plot.gridY({ stroke: COLOR.line, strokeOpacity: 1, ticks: 5 }),
      Plot.line(best, { ...place, stroke: COLOR.faint, curve: 'step-after', strokeDasharray: '4 3' }),
      ...planDots(plans, place),
      ...servedRing(plans, place),
      ...names(
        plans.filter((plan) => plan.isServed || best.includes(plan)),
        place,
        1,
      ),
    ],
  });
}

/** Speed against memory; against the kept share where no candidate has weights of its own. */
export function plotPlanSpeeds(rows: readonly PlanRow[], targetMs: number, plain: number): string {
  const plans = listPlans(rows, targetMs);
  const hasMemory = plans.some(({ extraMb }) => extraMb > 0);
  const x = hasMemory ? 'extraMb' : 'keptShare';
  const predicted = { x, y: 'predicted' } as const;
  const measured = { x, y: 'measured' } as const;
  const run = plans.filter((plan) => plan.measured !== null);
  const domain = speedDomain(plans, plain);
  return drawPlot(`Speed of every candidate against its ${hasMemory ? 'extra memory' : 'kept share'}`, {
    height: 320,
    marginLeft: 46,
    marginRight: 20,
    marginBottom: 40,
    marginTop: 26,
    x: hasMemory
      ? { label: 'extra memory, MB →', zero: true, nice: true, ticks: 5, insetLeft: 14 }
      : { label: 'block weights kept →', tickFormat: '.0%', domain: [0, 1], ticks: 5 },
    y: { label: '↑ tokens per second', domain, nice: true, ticks: 5 },
    marks: [
      Plot.gridY({ stroke: COLOR.line, strokeOpacity: 1, ticks: 5 }),
      Plot.ruleY([plain], { stroke: COLOR.ink, strokeDasharray: '1 3', strokeWidth: 1.25 }),
      Plot.link(run, { x1: x, x2: x, y1: 'predicted', y2: 'measured', stroke: COLOR.faint }),
      Plot.dot(
        plans.filter((plan) => plan.predicted !== null),
        {
          ...predicted,
          stroke: COLOR.faint,
          fill: COLOR.paper,
          r: 4,
          ariaDescription: 'predicted plan speed',
        },
      ),
      ...planDots(run, measured),
      ...servedRing(run, measured),
      ...names(
        run.filter(({ isServed }) => isServed),
        measured,
        domain[1] - domain[0],
      ),
    ],
  });
}

function listPlans(rows: readonly PlanRow[], targetMs: number): Plan[] {
  return rows.flatMap(({ draft, facts, precision, isServed }): Plan[] =>
    facts === undefined
      ? []
      : [
          {
            name: draft.name,
            precision,
            isServed,
            cost: facts.draftMs / targetMs,
            acceptance: facts.acceptanceRate,
            keptShare: draft.keptShare,
            extraMb: extraBytes(draft) / 1e6,
            predicted: facts.predictedTokensPerSecond,
            measured: facts.measuredTokensPerSecond,
          },
        ],
  );
}

/** Those that no other plan beats in both cost and acceptance, from cheap to dear. */
function frontierOf(plans: readonly Plan[]): Plan[] {
  let highest = Number.NEGATIVE_INFINITY;
  return plans
    .toSorted((a, b) => a.cost - b.cost || (b.acceptance ?? 0) - (a.acceptance ?? 0))
    .filter(({ acceptance }) => {
      const isBetter = acceptance !== null && acceptance > highest;
      if (isBetter) highest = acceptance;
      return isBetter;
    });
}

/** Speeds differ by less than they are: the axis begins where they do. */
function speedDomain(plans: readonly Plan[], plain: number): [number, number] {
  const speeds = plans.flatMap(({ predicted, measured }) => [predicted ?? plain, measured ?? plain]);
  return [0.92 * Math.min(plain, ...speeds), 1.05 * Math.max(plain, ...speeds)];
}

type Place = { readonly x: keyof Plan; readonly y: keyof Plan };

/** A shape per precision, as in the plot of scores. */
function planDots(plans: readonly Plan[], place: Place): Plot.Markish[] {
  return UNIT_STATES.map((state) =>
    Plot.dot(
      plans.filter(({ precision }) => precision === state),
      { ...place, ...STATE_LOOK[state], r: 4.5, strokeWidth: 1.5, ariaDescription: `plan ${state}` },
    ),
  );
}

function servedRing(plans: readonly Plan[], place: Place): Plot.Markish[] {
  return [
    Plot.dot(
      plans.filter(({ isServed }) => isServed),
      { ...place, r: 9, stroke: COLOR.ink, strokeWidth: 1.5, ariaDescription: 'served plan' },
    ),
  ];
}

/** Pixels of a letter, and of the plot between its margins, about. */
const LETTER = 6.5;
const INNER_WIDTH = 370;
/** Between two names, as a share of the axis. */
const NAME_GAP = 0.055;

/** Names to the left of their marks, moved apart; to the right where the left has no room. `span`: length of the y axis. */
function names(plans: readonly Plan[], { x, y }: Place, span: number): Plot.Markish[] {
  const heights = plans.map((plan) => Number(plan[y]) + 0.6 * NAME_GAP * span);
  const labelYs = spreadApart(heights, NAME_GAP * span);
  const widest = Math.max(...plans.map((plan) => Number(plan[x])));
  const placed = plans.map((plan, i) => {
    const room = (Number(plan[x]) / widest) * INNER_WIDTH;
    return { ...plan, labelY: labelYs[i], isRight: room < LETTER * plan.name.length + 10 };
  });
  return [true, false].flatMap((isServed) =>
    [true, false].map((isRight) =>
      Plot.text(
        placed.filter((plan) => plan.isServed === isServed && plan.isRight === isRight),
        {
          ...{ x, y: 'labelY', text: 'name', stroke: COLOR.paper, strokeWidth: 4, fill: COLOR.ink },
          ...(isRight ? { textAnchor: 'start', dx: 11 } : { textAnchor: 'end', dx: -11 }),
          fontWeight: isServed ? 700 : 400,
        },
      ),
    ),
  );
}
