import type { TokenConstraint } from '../grammar/index.ts';
import { LookupDrafter } from './lookup-drafter.ts';
import type { ModelSequence } from './model.ts';
import type { RoundPolicy } from './round-policy.ts';
import type { SequenceStats } from './sequence-stats.ts';
import { TokenHistory } from './token-history.ts';
import type { GenerateRequest } from './types.ts';

/** One generation in progress: its tokens, its place in the model, its counters. */
export class Sequence {
  readonly request: GenerateRequest;
  readonly history: TokenHistory;
  readonly model: ModelSequence;
  readonly policy: RoundPolicy;
  /** Null where the request does not speculate. */
  readonly lookup: LookupDrafter | null;
  readonly stats: SequenceStats;
  /** Most tokens to generate: `maxTokens`, or what the context has room for. */
  readonly #limit: number;
  readonly #stopTokens: ReadonlySet<number>;
  #finishReason: 'stop' | 'length' | undefined;

  constructor(
    request: GenerateRequest,
    model: ModelSequence,
    policy: RoundPolicy,
    stats: SequenceStats,
    maxContextTokens: number,
    constraint?: TokenConstraint,
  ) {
    this.request = request;
    this.history = new TokenHistory(request.promptIds, constraint);
    this.model = model;
    this.policy = policy;
    this.stats = stats;
    this.#limit = Math.min(request.maxTokens, maxContextTokens - request.promptIds.length);
    this.lookup = request.speculation.enabled
      ? new LookupDrafter(this.history, request.promptIds.length + this.#limit, (matchLength, isRight) =>
          policy.recordGuess(matchLength, isRight),
        )
      : null;
    this.#stopTokens = new Set(request.stopTokenIds);
    if (this.#limit === 0) this.#finishReason = 'length';
  }

  get finishReason(): 'stop' | 'length' | undefined {
    return this.#finishReason;
  }

  /** Tokens that may still be generated. */
  get room(): number {
    return this.#limit - (this.history.length - this.history.promptLength);
  }

  /** Tokens that are known but not yet in the KV cache; one between rounds. */
  get pending(): number[] {
    return this.history.from(this.model.length);
  }

  /** Takes the tokens of a round in, up to the first stop token; returns those taken. */
  extend(ids: readonly number[]): number[] {
    const stop = ids.findIndex((id) => this.#stopTokens.has(id));
    const taken = stop < 0 ? [...ids] : ids.slice(0, stop + 1);
    for (const id of taken) this.history.push(id);
    if (stop >= 0) this.#finishReason = 'stop';
    else if (this.room === 0) this.#finishReason = 'length';
    return taken;
  }
}
