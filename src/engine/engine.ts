import type { StepCosts } from '../lib/speedup.ts';
import { Decoder } from './decoder.ts';
import { DEFAULT_MAX_RUNNING, DEFAULT_MAX_WAITING, MAX_CHOSEN_DRAFT_LENGTH } from './defaults.ts';
import { DraftLengthPolicy, SpeculationKnowledge } from './draft-length.ts';
import { type Drafter, LayerSkipDrafter, noDrafter } from './drafter.ts';
import { generate } from './generate.ts';
import { type MeasureStepsOptions, measureSteps } from './measure-steps.ts';
import type { ModelRunner } from './model.ts';
import type { EngineLimits } from './options.ts';
import type { EngineProfile, Profiler } from './profiler.ts';
import { type Job, Scheduler } from './scheduler.ts';
import { Sequence } from './sequence.ts';
import { SequenceStats } from './sequence-stats.ts';
import { StepMeter } from './step-meter.ts';
import type { Engine, EngineEvent, EngineInfo, EngineLoad, GenerateRequest } from './types.ts';
import { checkRequest } from './validate.ts';

const DEFAULT_ACCEPTANCE_PRIOR = 0.6;
/** Timed runs at load: enough for a fresh engine to know what a draft costs, short enough for a cold start. */
const LOAD_MEASUREMENT = { pastTokens: 64, widths: [1, 2, 3, 5], runs: 5, budgetMs: 500 };

/** An engine in this thread, with what the build side and the benchmark measure. */
export interface LocalEngine extends Engine {
  /** Where the time went since the start or the last reset. */
  profile(): EngineProfile;
  resetProfile(): void;
  /** Blocks the thread while it measures; not while requests are running. */
  measureSteps(options: MeasureStepsOptions): StepCosts;
  /** Step costs as the choice of draft length sees them now; null without a draft. */
  stepCosts(): StepCosts | null;
}

/** An engine over a loaded model, which it owns from then on. */
export class ModelEngine implements LocalEngine {
  readonly info: EngineInfo;
  readonly #model: ModelRunner;
  readonly #decoder: Decoder;
  readonly #drafter: Drafter;
  readonly #knowledge: SpeculationKnowledge;
  readonly #profiler: Profiler;
  readonly #scheduler: Scheduler;
  #disposal: Promise<void> | undefined;

  /** `costs`: known step costs; measured now where not given. */
  constructor(model: ModelRunner, profiler: Profiler, limits: EngineLimits = {}, costs?: StepCosts) {
    const { provider, vocabSize, maxContextTokens, hasDraft } = model;
    this.info = { provider, vocabSize, maxContextTokens, hasDraft };
    this.#model = model;
    this.#profiler = profiler;
    const meter = hasDraft ? new StepMeter(costs ?? measureAtLoad(model), LOAD_MEASUREMENT.runs) : null;
    this.#knowledge = new SpeculationKnowledge(meter, limits.acceptancePrior ?? DEFAULT_ACCEPTANCE_PRIOR);
    this.#decoder = new Decoder(model, this.#knowledge, profiler);
    this.#drafter = hasDraft ? new LayerSkipDrafter(this.#decoder) : noDrafter;
    this.#scheduler = new Scheduler(
      {
        maxRunning: limits.maxRunning ?? DEFAULT_MAX_RUNNING,
        maxWaiting: limits.maxWaiting ?? DEFAULT_MAX_WAITING,
      },
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

  profile(): EngineProfile {
    return this.#profiler.read();
  }

  resetProfile(): void {
    this.#profiler.reset();
  }

  measureSteps(options: MeasureStepsOptions): StepCosts {
    return measureSteps(this.#model, options);
  }

  stepCosts(): StepCosts | null {
    return this.#knowledge.meter?.costs ?? null;
  }

  #jobOf(request: GenerateRequest): Job {
    const stats = new SequenceStats();
    let sequence: Sequence | undefined;
    return {
      start: () => {
        stats.start();
        const policy = new DraftLengthPolicy(request.speculation, this.#knowledge);
        const place = this.#model.openSequence();
        sequence = new Sequence(request, place, policy, stats, this.info.maxContextTokens);
        return generate(sequence, this.#drafter, this.#decoder);
      },
      release: () => sequence?.model.dispose(),
    };
  }
}

/** The past is cut where the context is short, so that the widest step fits. */
function measureAtLoad(model: ModelRunner): StepCosts {
  const widest = MAX_CHOSEN_DRAFT_LENGTH + 1;
  const pastTokens = Math.max(0, Math.min(LOAD_MEASUREMENT.pastTokens, model.maxContextTokens - widest));
  return measureSteps(model, { ...LOAD_MEASUREMENT, pastTokens, widest });
}
