import { GrammarStore, type TokenConstraint, type TokenVocabulary } from '../grammar/index.ts';
import type { StepCosts } from '../lib/speedup.ts';
import { CombinedDrafter } from './combined-drafter.ts';
import { Decoder } from './decoder.ts';
import {
  DEFAULT_MAX_RUNNING,
  DEFAULT_MAX_WAITING,
  DEFAULT_PREFIX_CACHE_BYTES,
  MAX_DRAFT_LENGTH,
} from './defaults.ts';
import type { Drafter } from './drafter.ts';
import { SpeculationKnowledge } from './experience.ts';
import { generate } from './generate.ts';
import { LayerSkipDrafter } from './layer-skip-drafter.ts';
import { type MeasureStepsOptions, measureSteps } from './measure-steps.ts';
import type { ModelRunner, ModelSequence } from './model.ts';
import type { EngineLimits } from './options.ts';
import { PrefixCache } from './prefix-cache.ts';
import type { EngineProfile, Profiler } from './profiler.ts';
import { RoundPolicy } from './round-policy.ts';
import { type Job, Scheduler } from './scheduler.ts';
import { Sequence } from './sequence.ts';
import { SequenceStats } from './sequence-stats.ts';
import { StepMeter } from './step-meter.ts';
import type { RoundStep } from './turns.ts';
import type { Engine, EngineEvent, EngineInfo, EngineLoad, GenerateRequest } from './types.ts';
import { checkRequest } from './validate.ts';

const DEFAULT_ACCEPTANCE_PRIOR = 0.6;
/** Timed runs at load: enough for a fresh engine to know what drafts and verification cost, short enough for a cold start. */
const LOAD_MEASUREMENT = {
  pastTokens: 64,
  widths: [1, 2, 3, 5, 9, 13],
  runs: 5,
  budgetMs: 500,
  statistic: 'least',
} as const;

/** An engine in this thread, with what the build side and the benchmark measure. */
export interface LocalEngine extends Engine {
  /** What tokens spell: needed before the first request with a grammar. */
  setVocabulary(vocabulary: TokenVocabulary): void;
  /** Where the time went since the start or the last reset. */
  profile(): EngineProfile;
  resetProfile(): void;
  /** Blocks the thread while it measures; not while requests are running. */
  measureSteps(options: MeasureStepsOptions): StepCosts;
  /** Step costs as the choice of drafter and draft length sees them now. */
  stepCosts(): StepCosts;
}

/** Who drafts and verifies, and what they know. */
interface Team {
  readonly knowledge: SpeculationKnowledge;
  readonly decoder: Decoder;
  readonly drafter: Drafter;
}

/** An engine over a loaded model, which it owns from then on. */
export class ModelEngine implements LocalEngine {
  readonly info: EngineInfo;
  readonly #model: ModelRunner;
  readonly #acceptancePrior: number;
  readonly #team: Team;
  readonly #profiler: Profiler;
  readonly #scheduler: Scheduler;
  readonly #prefixCache: PrefixCache;
  readonly #grammars: GrammarStore = new GrammarStore();
  #disposal: Promise<void> | undefined;

  /** `costs`: known step costs; measured now where not given. */
  constructor(model: ModelRunner, profiler: Profiler, limits: EngineLimits = {}, costs?: StepCosts) {
    const { provider, vocabSize, maxContextTokens, hasDraft } = model;
    this.info = { provider, vocabSize, maxContextTokens, hasDraft };
    this.#model = model;
    this.#profiler = profiler;
    const meter = new StepMeter(costs ?? measureAtLoad(model), LOAD_MEASUREMENT.runs);
    this.#acceptancePrior = limits.acceptancePrior ?? DEFAULT_ACCEPTANCE_PRIOR;
    this.#team = this.#createTeam(meter);
    this.#prefixCache = new PrefixCache(limits.prefixCacheBytes ?? DEFAULT_PREFIX_CACHE_BYTES);
    this.#scheduler = new Scheduler(
      {
        maxRunning: limits.maxRunning ?? DEFAULT_MAX_RUNNING,
        maxWaiting: limits.maxWaiting ?? DEFAULT_MAX_WAITING,
      },
      (steps) => this.#runSteps(steps),
      profiler,
    );
    profiler.reset();
  }

  async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<EngineEvent, void> {
    checkRequest(request, this.info);
    yield* this.#scheduler.run(this.#jobOf(request), signal);
  }

  load(): EngineLoad {
    return this.#scheduler.load;
  }

  dispose(): Promise<void> {
    this.#scheduler.close();
    this.#disposal ??= this.#model.dispose();
    return this.#disposal;
  }

  setVocabulary(vocabulary: TokenVocabulary): void {
    this.#grammars.setVocabulary(vocabulary);
  }

  profile(): EngineProfile {
    return this.#profiler.read();
  }

  resetProfile(): void {
    this.#profiler.reset();
  }

  measureSteps(options: MeasureStepsOptions): StepCosts {
    return measureSteps(this.#model, options);
  }

  stepCosts(): StepCosts {
    return this.#team.knowledge.meter.costs;
  }

  #jobOf(request: GenerateRequest): Job {
    const stats = new SequenceStats();
    let place: ModelSequence | undefined;
    let sequence: Sequence | undefined;
    return {
      group: request.group,
      start: () => {
        stats.start();
        const { knowledge, drafter, decoder } = request.isWarmUp ? this.#forgetfulTeam() : this.#team;
        const policy = new RoundPolicy(request, knowledge);
        const constraint = this.#constraintOf(request);
        place = this.#model.openSequence(request.promptIds.length);
        this.#recall(request, place);
        stats.numCachedTokens = place.length;
        sequence = new Sequence(request, place, policy, stats, this.info.maxContextTokens, constraint);
        return generate(sequence, drafter, decoder);
      },
      release: (isSound) => {
        if (sequence !== undefined && isSound) this.#remember(sequence);
        place?.dispose();
      },
    };
  }

  /** Takes over what is known of the prompt's beginning. Prompt logprobs need every position run. */
  #recall({ cacheOwner, promptIds, promptLogprobs }: GenerateRequest, place: ModelSequence): void {
    if (promptLogprobs !== true) this.#prefixCache.reuse(cacheOwner, promptIds, place);
  }

  /** Whatever fails here (there may be no memory for it) is no reason to end anybody's text. */
  #remember({ request, history, model }: Sequence): void {
    if (request.isWarmUp === true) return;
    try {
      this.#prefixCache.keep(request.cacheOwner, history.slice(0, model.length), model);
    } catch {}
  }

  #runSteps(steps: readonly RoundStep[]): readonly (Float32Array | undefined)[] {
    const started = performance.now();
    const { logits, tokens } = this.#model.forwardTogether(steps);
    const ms = performance.now() - started;
    const ran = steps.filter((_, i) => logits[i] !== undefined);
    if (ran.every(({ isTypical }) => isTypical)) this.#team.knowledge.meter.recordTarget(tokens, ms);
    return logits;
  }

  #createTeam(meter: StepMeter): Team {
    const sharing = () => this.#scheduler.load.running;
    const knowledge = new SpeculationKnowledge(meter, this.info.hasDraft, this.#acceptancePrior, sharing);
    const decoder = new Decoder(this.#model, knowledge, this.#profiler);
    return { knowledge, decoder, drafter: new CombinedDrafter(new LayerSkipDrafter(decoder)) };
  }

  /** What it learns goes with it. */
  #forgetfulTeam(): Team {
    return this.#createTeam(new StepMeter(this.stepCosts(), LOAD_MEASUREMENT.runs));
  }

  #constraintOf({
    grammar,
    stopTokenIds,
    maxTokens,
    promptIds,
  }: GenerateRequest): TokenConstraint | undefined {
    if (grammar === undefined) return undefined;
    const limit = Math.min(maxTokens, this.info.maxContextTokens - promptIds.length);
    return this.#grammars.open(grammar, stopTokenIds, limit);
  }
}

/** The past is cut where the context is short, so that the widest step fits. */
function measureAtLoad(model: ModelRunner): StepCosts {
  const widest = Math.min(MAX_DRAFT_LENGTH + 1, model.maxContextTokens);
  const pastTokens = Math.max(0, Math.min(LOAD_MEASUREMENT.pastTokens, model.maxContextTokens - widest));
  const widths = LOAD_MEASUREMENT.widths.filter((width) => width <= widest);
  return measureSteps(model, { ...LOAD_MEASUREMENT, pastTokens, widths, widest });
}
