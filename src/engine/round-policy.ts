import { draftingMs, type StepCosts, targetStepMs } from '../lib/speedup.ts';
import { MAX_CHOSEN_DRAFT_LENGTH, MAX_DRAFT_LENGTH } from './defaults.ts';
import type { DraftOrigin } from './draft.ts';
import { type Experience, forkExperience, type SpeculationKnowledge } from './experience.ts';
import type { GenerateRequest } from './types.ts';

/** A gain below this is within the error of the measured costs: decode plainly. */
const SMALLEST_SPEEDUP = 1.04;
/** Share of the time that probing the other way of decoding may cost. */
const PROBE_SHARE = 0.005;
const FEWEST_ROUNDS_BETWEEN_PROBES = 32;
const MOST_ROUNDS_BETWEEN_PROBES = 1024;
/** Only the last of them is timed, see `generate`. */
const PLAIN_PROBE_ROUNDS = 2;

/** Who drafts in a round, and how many tokens at most. */
export interface RoundPlan {
  readonly drafter: DraftOrigin | 'none';
  readonly draftLength: number;
  /** Whether the draft may end sooner; else the caller fixed its length. */
  readonly mayStop: boolean;
}

/** What came of a round. */
export interface RoundOutcome {
  readonly origin: DraftOrigin;
  readonly drafted: number;
  /** The first so many of them were. */
  readonly accepted: number;
  /** How far the model draft's tokens were ahead, where it was looked at. */
  readonly leads: readonly number[];
}

const PLAIN: RoundPlan = { drafter: 'none', draftLength: 0, mayStop: false };

/**
 * Decides for one request who drafts in each round and for how long: whatever is expected to bring the most tokens for
 * its cost, a plain step (one token) included.
 */
export class RoundPolicy {
  readonly #params: GenerateRequest['speculation'];
  readonly #knowledge: SpeculationKnowledge;
  readonly #own: Experience;
  /** With rejection verification, leads mean nothing: others do not learn from it. */
  readonly #learners: readonly Experience[];
  #costs: StepCosts;
  /** Generations that share the target's steps, a token each. */
  #numSharing = 1;
  /** Rounds since the last one without a draft, and since the last one of the model draft. */
  #roundsSincePlain = 0;
  #roundsSinceDraft = 0;
  /** Rounds without a draft since the last one with; the first round runs the prompt and is none. */
  #plainRounds = -1;
  /** Whether the draft of this round, not recorded yet, could not propose its first token. */
  #isFruitless = false;

  constructor({ speculation, sampling }: GenerateRequest, knowledge: SpeculationKnowledge) {
    this.#params = speculation;
    this.#knowledge = knowledge;
    const shared = knowledge.experience(sampling.temperature);
    this.#own = forkExperience(shared);
    this.#learners = speculation.verification === 'coupled' ? [this.#own, shared] : [this.#own];
    this.#costs = knowledge.meter.costs;
  }

  /** The next round, of at most `longest` draft tokens. `matchLength`: of prompt lookup's match; 0: it has none. */
  plan(longest: number, matchLength: number): RoundPlan {
    const { enabled, draftLength } = this.#params;
    if (!enabled || longest === 0) return PLAIN;
    if (draftLength !== undefined) return this.#fixedPlan(Math.min(draftLength, longest), matchLength);
    this.#costs = this.#knowledge.meter.costs;
    this.#numSharing = this.#knowledge.numSharing;
    const best = this.#bestPlan(longest, matchLength);
    if (best.plan === PLAIN) return this.#isDraftProbeDue() ? draftPlan(longest) : PLAIN;
    return this.#isPlainProbeDue(best.speed) ? PLAIN : best.plan;
  }

  /**
   * Whether a model draft of `length` tokens, all accepted with probability `reach`, should get one more: what the next
   * token is expected to bring against what its draft step and its place in the verification would bring elsewhere.
   */
  isNextWorth(reach: number, length: number): boolean {
    const cost =
      this.#steps(this.#costs.draftMs) + this.#verification(length + 1) - this.#verification(length);
    return reach * this.#own.draft.rate > Math.max(1, this.#draftSpeed) * cost;
  }

  /** Probability that a draft token with this lead is accepted if those before it are. */
  acceptanceAt(lead: number): number {
    return this.#own.byLead.rate(lead);
  }

  /** Whether neither the last round nor this one, as far as it is known, has a draft. */
  get isDecodingPlainly(): boolean {
    return this.#plainRounds > 0 && !this.#isFruitless;
  }

  /** Whether the token after a match was the next one; known for every token, whoever drafted it. */
  recordGuess(matchLength: number, isRight: boolean): void {
    for (const { byMatch } of this.#learners) byMatch.record(matchLength, isRight);
  }

  record({ origin, drafted, accepted, leads }: RoundOutcome): void {
    const isDraft = origin === 'draft' && drafted > 0;
    const isPlain = drafted === 0 && !this.#isFruitless;
    this.#roundsSincePlain = isPlain ? 0 : this.#roundsSincePlain + 1;
    this.#plainRounds = isPlain ? this.#plainRounds + 1 : 0;
    this.#roundsSinceDraft = isDraft || this.#isFruitless ? 0 : this.#roundsSinceDraft + 1;
    this.#isFruitless = false;
    if (!isDraft) return;
    for (const experience of this.#learners) {
      experience.draft.record(drafted, accepted);
      // Tokens after the first rejected one were never put to the test.
      for (const [i, lead] of leads.slice(0, accepted + 1).entries()) {
        experience.byLead.record(lead, i < accepted);
      }
      if (this.#params.draftLength === undefined)
        experience.draftRounds.record({ tokens: accepted + 1, drafted });
    }
  }

  /**
   * A draft that could not propose its first token: it took a step and brings nothing, as one that is rejected. The round
   * that it is of, recorded next, has no draft tokens but is no plain one: its step is not timed as one.
   */
  recordFruitless(): void {
    this.#own.draft.record(1, 0);
    if (this.#params.draftLength === undefined) this.#own.draftRounds.record({ tokens: 1, drafted: 1 });
    this.#isFruitless = true;
  }

  /**
   * The model draft where there is one, so that the caller gets all the tokens asked for. A round
   * has one drafter, also where the policy chooses: where the draft can propose no token, prompt lookup is not asked instead.
   */
  #fixedPlan(draftLength: number, matchLength: number): RoundPlan {
    if (draftLength === 0) return PLAIN;
    if (this.#knowledge.hasDraft) return { drafter: 'draft', draftLength, mayStop: false };
    return matchLength > 0 ? { drafter: 'lookup', draftLength, mayStop: false } : PLAIN;
  }

  /** `speed`: expected tokens per plain step. */
  #bestPlan(longest: number, matchLength: number): { plan: RoundPlan; speed: number } {
    let best = { plan: PLAIN, speed: SMALLEST_SPEEDUP };
    if (this.#knowledge.hasDraft && this.#draftSpeed > best.speed) {
      best = { plan: draftPlan(longest), speed: this.#draftSpeed };
    }
    if (matchLength === 0) return best;
    let [tokens, reach] = [1, 1];
    for (let length = 1; length <= Math.min(MAX_DRAFT_LENGTH, longest); length++) {
      reach *= this.#own.byMatch.rate(matchLength + length - 1); // an accepted token makes the match longer
      tokens += reach;
      const speed = tokens / this.#verification(length);
      if (speed > best.speed) best = { plan: lookupPlan(length), speed };
    }
    return best;
  }

  /** Now and then a plain step is timed, since all else is measured against it; the sooner, the fewer there have been. */
  #isPlainProbeDue(speed: number): boolean {
    const rounds = Math.min(roundsBetweenProbes(speed - 1), this.#knowledge.meter.plainSteps ** 2 / 8);
    const isHalfDone = this.#plainRounds > 0 && this.#plainRounds < PLAIN_PROBE_ROUNDS;
    return isHalfDone || this.#roundsSincePlain >= rounds;
  }

  /** Now and then the model draft is tried where it does not seem to pay, so that what is known of it does not go stale. */
  #isDraftProbeDue(): boolean {
    const loss = this.#draftRoundCost - this.#own.draftRounds.tokens;
    return this.#knowledge.hasDraft && this.#roundsSinceDraft >= roundsBetweenProbes(loss);
  }

  /** Tokens per plain step of rounds with the model draft: above 1, faster than plain decoding. */
  get #draftSpeed(): number {
    return this.#own.draftRounds.tokens / this.#draftRoundCost;
  }

  get #draftRoundCost(): number {
    const { drafted } = this.#own.draftRounds;
    const [below, above] = [this.#verification(Math.floor(drafted)), this.#verification(Math.ceil(drafted))];
    return this.#steps(draftingMs(this.#costs, drafted)) + below + (drafted % 1) * (above - below);
  }

  /** In plain steps of this generation, which are its share of a step for all. */
  #steps(ms: number): number {
    return (ms * this.#numSharing) / targetStepMs(this.#costs, this.#numSharing);
  }

  /** Cost of verifying so many draft tokens. Few others have a step as wide: it is taken for a run of its own. */
  #verification(draftLength: number): number {
    return draftLength === 0 ? 1 : this.#steps(targetStepMs(this.#costs, draftLength + 1));
  }
}

function draftPlan(longest: number): RoundPlan {
  return { drafter: 'draft', draftLength: Math.min(MAX_CHOSEN_DRAFT_LENGTH, longest), mayStop: true };
}

function lookupPlan(draftLength: number): RoundPlan {
  return { drafter: 'lookup', draftLength, mayStop: true };
}

/** So many rounds that a probe that loses `loss` plain steps costs {@linkcode PROBE_SHARE} of the time. */
function roundsBetweenProbes(loss: number): number {
  const rounds = Math.ceil(loss / PROBE_SHARE);
  return Math.min(MOST_ROUNDS_BETWEEN_PROBES, Math.max(FEWEST_ROUNDS_BETWEEN_PROBES, rounds));
}
