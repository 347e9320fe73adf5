import { expectedTokensPerRound } from '../lib/speedup.ts';
import { AcceptanceEstimate } from './acceptance.ts';
import { AcceptanceByClass } from './acceptance-by-class.ts';
import { MAX_CHOSEN_DRAFT_LENGTH } from './defaults.ts';
import { RoundAverage, type TypicalRound } from './round-average.ts';
import type { StepMeter } from './step-meter.ts';

/** Trials (rounds) that what is known of other requests stands for at the start of one, and those that one remembers. */
const SHARED_WEIGHT = { trials: 8, rounds: 16 };
const REQUEST_MEMORY = { trials: 64, rounds: 64 };
const ENGINE_WEIGHT = 16;
/** Priors by lead fit no draft exactly, and each token that is wrong or right tells much. */
const LEAD_WEIGHT = 6;
const ENGINE_MEMORY = { trials: 512, rounds: 256 };

/** Tokens that agree before a guess of prompt lookup; a longer match is more often right. */
const MATCH_CLASSES = [1, 2, 3, 4, 6, 9, 16];
/**
 * Under what was measured on texts that repeat little (stories, temperature 0: .21 .45 .58 .70 .78 .85 .93; at 1: .09
 * .20 .1): every guess is scored whether it is used or not, so pessimism costs nothing and optimism costs steps.
 */
const MATCH_PRIORS = [0.1, 0.2, 0.3, 0.45, 0.55, 0.65, 0.75];
/** How far the draft's token was ahead of its next best, in logits over temperature. */
const LEAD_CLASSES = [0, 0.1, 0.25, 0.5, 1, 2, 4];
/** The middle of each. */
const TYPICAL_LEADS = [0.05, 0.17, 0.37, 0.75, 1.5, 3, 5];
/** Leads are about exponentially distributed with this mean (stories, any temperature: 1.6 to 2.1). */
const MEAN_LEAD = 1.9;

/** What is known about how often guesses are right. */
export interface Experience {
  /** Of the model draft's tokens, whatever their lead. */
  readonly draft: AcceptanceEstimate;
  /** Of the model draft's tokens, by their lead over the next best. */
  readonly byLead: AcceptanceByClass;
  /** Of prompt lookup's tokens, by length of the match. */
  readonly byMatch: AcceptanceByClass;
  /** What rounds of the model draft brought. */
  readonly draftRounds: RoundAverage;
}

/** What the requests of an engine learn together. */
export class SpeculationKnowledge {
  readonly meter: StepMeter;
  readonly hasDraft: boolean;
  readonly #acceptancePrior: number;
  readonly #numRunning: () => number;
  /** By temperature in quarters: the same guess is right less often at a high one. */
  readonly #experiences: Map<number, Experience> = new Map();

  /** `acceptancePrior`: of the model draft's tokens; `numRunning`: generations that share target steps, or will once their prompt is read. */
  constructor(
    meter: StepMeter,
    hasDraft: boolean,
    acceptancePrior: number,
    numRunning: () => number = () => 1,
  ) {
    this.#numRunning = numRunning;
    this.meter = meter;
    this.hasDraft = hasDraft;
    this.#acceptancePrior = acceptancePrior;
  }

  /** Generations that share a target step at present; 1 or more. */
  get numSharing(): number {
    return Math.max(1, this.#numRunning());
  }

  /** Shared by all requests at about this temperature. */
  experience(temperature: number): Experience {
    const quarters = Math.min(8, Math.round(4 * temperature));
    const known = this.#experiences.get(quarters) ?? this.#newExperience(quarters);
    this.#experiences.set(quarters, known);
    return known;
  }

  /** What is known of the draft at the nearest temperature is a better start than none; prompt lookup differs too much. */
  #newExperience(quarters: number): Experience {
    const first = this.#firstExperience();
    const near = [...this.#experiences].toSorted(
      ([a], [b]) => Math.abs(a - quarters) - Math.abs(b - quarters),
    );
    const known = near[0]?.[1];
    return known === undefined ? first : { ...forkExperience(known, ENGINE_MEMORY), byMatch: first.byMatch };
  }

  #firstExperience(): Experience {
    const { trials, rounds } = ENGINE_MEMORY;
    return {
      draft: new AcceptanceEstimate(this.#acceptancePrior, ENGINE_WEIGHT, trials),
      byLead: new AcceptanceByClass(LEAD_CLASSES, leadPriors(this.#acceptancePrior), LEAD_WEIGHT, trials),
      byMatch: new AcceptanceByClass(MATCH_CLASSES, MATCH_PRIORS, ENGINE_WEIGHT, trials),
      draftRounds: new RoundAverage(this.#hopedRound(), ENGINE_WEIGHT, rounds),
    };
  }

  /** A round whose draft stops right at its first wrong token: hope, so that a draft is tried before it is given up. */
  #hopedRound(): TypicalRound {
    const odds = this.#acceptancePrior / (1 - this.#acceptancePrior);
    if (odds + 1 <= MAX_CHOSEN_DRAFT_LENGTH) return { drafted: odds + 1, tokens: odds + 1 };
    const tokens = expectedTokensPerRound(this.#acceptancePrior, MAX_CHOSEN_DRAFT_LENGTH);
    return { drafted: MAX_CHOSEN_DRAFT_LENGTH, tokens };
  }
}

/**
 * Acceptance by lead of a draft that is accepted with probability `acceptance`: 1 - exp(-lead / s) / 2, a toss-up where
 * two tokens are even, with the s that gives the mean. Measured on stories, for drafts of acceptance .95 and .84: .64 .76
 * .94 1 1 1 1 and .44 .51 .65 .84 .93 .98 1; this gives .61 .75 .92 .99 1 1 1 and .54 .59 .67 .79 .91 .98 1.
 */
function leadPriors(acceptance: number): number[] {
  const tossUps = 2 * (1 - acceptance); // = s / (s + MEAN_LEAD)
  const scale = (MEAN_LEAD * tossUps) / Math.max(0.1, 1 - tossUps);
  return TYPICAL_LEADS.map((lead) => 1 - Math.exp(-lead / scale) / 2);
}

/** An experience of its own, a request's for one, which starts from what is known. */
export function forkExperience(
  { draft, byLead, byMatch, draftRounds }: Experience,
  { trials, rounds }: typeof REQUEST_MEMORY = REQUEST_MEMORY,
): Experience {
  return {
    draft: new AcceptanceEstimate(draft.rate, SHARED_WEIGHT.trials, trials),
    byLead: byLead.fork(SHARED_WEIGHT.trials, trials),
    byMatch: byMatch.fork(SHARED_WEIGHT.trials, trials),
    draftRounds: new RoundAverage(draftRounds, SHARED_WEIGHT.rounds, rounds),
  };
}
