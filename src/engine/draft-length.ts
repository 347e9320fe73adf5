import { bestDraftLength, expectedTokensPerRound, type StepCosts } from '../lib/speedup.ts';
import { AcceptanceEstimate } from './acceptance.ts';
import { MAX_CHOSEN_DRAFT_LENGTH } from './defaults.ts';
import type { StepMeter } from './step-meter.ts';
import type { SpeculationParams } from './types.ts';

/** A gain below this is within the error of the measured costs: decode plainly. */
const SMALLEST_SPEEDUP = 1.04;
/** Share of the time that probing the other way of decoding may cost. */
const PROBE_SHARE = 0.005;
const FEWEST_ROUNDS_BETWEEN_PROBES = 32;
const MOST_ROUNDS_BETWEEN_PROBES = 1024;
/** Trials that what is known of other requests stands for at the start of one, and trials that a request remembers. */
const SHARED_WEIGHT = 8;
const REQUEST_MEMORY = 64;
const ENGINE_WEIGHT = 16;
const ENGINE_MEMORY = 512;

/** What the requests of an engine learn together: acceptance and step costs. `meter` null: there is no draft. */
export class SpeculationKnowledge {
  readonly meter: StepMeter | null;
  readonly acceptance: AcceptanceEstimate;

  constructor(meter: StepMeter | null, acceptancePrior: number) {
    this.meter = meter;
    this.acceptance = new AcceptanceEstimate(acceptancePrior, ENGINE_WEIGHT, ENGINE_MEMORY);
  }
}

/** Decides how many tokens each round of one request drafts. */
export class DraftLengthPolicy {
  readonly #params: SpeculationParams;
  readonly #knowledge: SpeculationKnowledge;
  readonly #acceptance: AcceptanceEstimate;
  /** Rounds since the last one without a draft, and since the last one with a draft. */
  #roundsSincePlain = 0;
  #roundsSinceDraft = 0;

  constructor(params: SpeculationParams, knowledge: SpeculationKnowledge) {
    this.#params = params;
    this.#knowledge = knowledge;
    this.#acceptance = new AcceptanceEstimate(knowledge.acceptance.rate, SHARED_WEIGHT, REQUEST_MEMORY);
  }

  /** Draft length of the next round, at most `longest`; a caller's own choice is obeyed. */
  choose(longest: number): number {
    const { enabled, draftLength } = this.#params;
    const meter = this.#knowledge.meter;
    if (!enabled || meter === null) return 0;
    if (draftLength !== undefined) return Math.min(draftLength, longest);
    return Math.min(longest, this.#chooseByCost(meter.costs));
  }

  /** A round's outcome. */
  record(drafted: number, accepted: number): void {
    this.#roundsSincePlain = drafted === 0 ? 0 : this.#roundsSincePlain + 1;
    this.#roundsSinceDraft = drafted === 0 ? this.#roundsSinceDraft + 1 : 0;
    if (drafted === 0) return;
    this.#acceptance.record(drafted, accepted);
    this.#knowledge.acceptance.record(drafted, accepted);
  }

  /** Now and then the other way is tried, so that neither acceptance nor the cost of a plain step goes stale. */
  #chooseByCost(costs: StepCosts): number {
    const acceptance = this.#acceptance.rate;
    const { draftLength, speedup } = bestDraftLength(acceptance, costs, MAX_CHOSEN_DRAFT_LENGTH);
    if (speedup >= SMALLEST_SPEEDUP) {
      return this.#roundsSincePlain >= roundsBetweenProbes(speedup - 1) ? 0 : draftLength;
    }
    return this.#roundsSinceDraft >= roundsBetweenProbes(lossOfProbe(acceptance, costs)) ? 1 : 0;
  }
}

/** What a round with one draft token takes longer than plain decoding of its tokens would, in plain steps. */
function lossOfProbe(acceptance: number, costs: StepCosts): number {
  const [plainMs, verifyMs] = [costs.targetMs[0]!, costs.targetMs[1]!];
  return (costs.draftMs + verifyMs) / plainMs - expectedTokensPerRound(acceptance, 1);
}

/** So many rounds that a probe that loses `loss` plain steps costs {@linkcode PROBE_SHARE} of the time. */
function roundsBetweenProbes(loss: number): number {
  const rounds = Math.ceil(loss / PROBE_SHARE);
  return Math.min(MOST_ROUNDS_BETWEEN_PROBES, Math.max(FEWEST_ROUNDS_BETWEEN_PROBES, rounds));
}
