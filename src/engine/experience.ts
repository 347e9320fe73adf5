import { AcceptanceEstimate } from './acceptance.ts';
import { AcceptanceByClass } from './acceptance-by-class.ts';
import { RoundAverage } from './round-average.ts';
import type { StepMeter } from './step-meter.ts';

/** Trials (rounds) that what is known of other requests stands for at the start of one, and those that one remembers. */
const SHARED_WEIGHT = { trials: 8, rounds: 16 };
const REQUEST_MEMORY = { trials: 64, rounds: 64 };
const ENGINE_WEIGHT = 16;
const ENGINE_MEMORY = { trials: 512, rounds: 256 };

/** Tokens that agree before a guess of prompt lookup; a longer match is more often right. */
const MATCH_CLASSES = [1, 2, 3, 4, 6, 9, 16];
/**
 * Under what was measured on texts that repeat little (stories, temperature 0: .21 .45 .58 .70 .78 .85 .93; at 1: .09
 * .20 .1): every guess is scored whether it is used or not, so pessimism costs nothing and optimism costs steps.
 */
const MATCH_PRIORS = [0.1, 0.2, 0.3, 0.45, 0.55, 0.65, 0.75];
/** The draft's own probability of its token; most of a good draft's tokens are in the last classes. */
const CONFIDENCE_CLASSES = [0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97];
/** A calibrated draft: the middle of each class. */
const CONFIDENCE_PRIORS = [0.1, 0.3, 0.5, 0.7, 0.85, 0.935, 0.985];

/** What is known about how often guesses are right. */
export interface Experience {
  /** Of the model draft's tokens, whatever their confidence. */
  readonly draft: AcceptanceEstimate;
  /** Of the model draft's tokens, by confidence. */
  readonly byConfidence: AcceptanceByClass;
  /** Of prompt lookup's tokens, by length of the match. */
  readonly byMatch: AcceptanceByClass;
  /** What rounds of the model draft brought and cost. */
  readonly draftRounds: RoundAverage;
}

/** What the requests of an engine learn together. */
export class SpeculationKnowledge {
  readonly meter: StepMeter;
  readonly hasDraft: boolean;
  readonly #acceptancePrior: number;
  /** By temperature in quarters: the same guess is right less often at a high one. */
  readonly #experiences: Map<number, Experience> = new Map();

  /** `acceptancePrior`: of the model draft's tokens. */
  constructor(meter: StepMeter, hasDraft: boolean, acceptancePrior: number) {
    this.meter = meter;
    this.hasDraft = hasDraft;
    this.#acceptancePrior = acceptancePrior;
  }

  /** Shared by all requests at about this temperature. */
  experience(temperature: number): Experience {
    const quarters = Math.min(8, Math.round(4 * temperature));
    const known = this.#experiences.get(quarters) ?? this.#firstExperience();
    this.#experiences.set(quarters, known);
    return known;
  }

  #firstExperience(): Experience {
    const { trials, rounds } = ENGINE_MEMORY;
    return {
      draft: new AcceptanceEstimate(this.#acceptancePrior, ENGINE_WEIGHT, trials),
      byConfidence: new AcceptanceByClass(CONFIDENCE_CLASSES, CONFIDENCE_PRIORS, ENGINE_WEIGHT, trials),
      byMatch: new AcceptanceByClass(MATCH_CLASSES, MATCH_PRIORS, ENGINE_WEIGHT, trials),
      draftRounds: new RoundAverage(this.#hopedRound(), ENGINE_WEIGHT, rounds),
    };
  }

  /** A round whose draft stops right at its first wrong token: hope, so that a draft is tried before it is given up. */
  #hopedRound(): { tokens: number; cost: number } {
    const { draftMs, targetMs } = this.meter.costs;
    const accepted = Math.min(this.#acceptancePrior / (1 - this.#acceptancePrior), targetMs.length - 1);
    const [below, above] = [targetMs[Math.floor(accepted)]!, targetMs[Math.ceil(accepted)]!];
    const verificationMs = below + (accepted % 1) * (above - below);
    return { tokens: accepted + 1, cost: ((accepted + 1) * draftMs + verificationMs) / targetMs[0]! };
  }
}

/** A request's own experience, which starts from the shared one. */
export function forkExperience({ draft, byConfidence, byMatch, draftRounds }: Experience): Experience {
  const { trials, rounds } = REQUEST_MEMORY;
  return {
    draft: new AcceptanceEstimate(draft.rate, SHARED_WEIGHT.trials, trials),
    byConfidence: byConfidence.fork(SHARED_WEIGHT.trials, trials),
    byMatch: byMatch.fork(SHARED_WEIGHT.trials, trials),
    draftRounds: new RoundAverage(draftRounds, SHARED_WEIGHT.rounds, rounds),
  };
}
