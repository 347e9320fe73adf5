import type { Engine, EngineEvent, GenerateRequest, TokenLogprob } from '../../src/engine/types.ts';
import { BYTE_VOCAB_SIZE, END_ID } from './byte-codec.ts';

export interface ScriptedEngineOptions {
  /** What it says to a request, as text or ids; END_ID is appended. Default: the prompt's own ids. */
  readonly answer?: (request: GenerateRequest) => string | readonly number[];
  /** Tokens per round: all but the last come from the draft. Default 3. */
  readonly roundTokens?: number;
  /** Time before each round. Default 0. */
  readonly roundMs?: number;
  /** Thrown instead of round number `atRound`. */
  readonly failure?: { readonly atRound: number; readonly error: unknown };
  readonly maxContextTokens?: number;
}

/** An engine that follows a script and keeps count of who uses it. */
export interface ScriptedEngine extends Engine {
  readonly requests: GenerateRequest[];
  /** Generations begun, and ended in whatever way. */
  readonly begun: () => number;
  readonly ended: () => number;
  /** Rounds run for all generations. */
  readonly rounds: () => number;
}

export function createScriptedEngine(options: ScriptedEngineOptions = {}): ScriptedEngine {
  const requests: GenerateRequest[] = [];
  const counts = { begun: 0, ended: 0, rounds: 0 };
  async function* generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<EngineEvent> {
    requests.push(request);
    counts.begun++;
    try {
      if (request.promptLogprobs) yield { type: 'prompt', logprobs: request.promptIds.map(promptLogprob) };
      yield* runScript(request, options, signal, () => counts.rounds++);
    } finally {
      counts.ended++;
    }
  }
  return {
    info: {
      provider: 'scripted',
      vocabSize: BYTE_VOCAB_SIZE,
      maxContextTokens: options.maxContextTokens ?? 512,
      hasDraft: true,
    },
    requests,
    begun: () => counts.begun,
    ended: () => counts.ended,
    rounds: () => counts.rounds,
    generate,
    load: () => ({ running: counts.begun - counts.ended, waiting: 0 }),
    dispose: async () => {},
  };
}

async function* runScript(
  request: GenerateRequest,
  options: ScriptedEngineOptions,
  signal: AbortSignal | undefined,
  onRound: () => void,
): AsyncGenerator<EngineEvent> {
  const script = toIds(options.answer?.(request) ?? request.promptIds);
  const all = request.stopTokenIds.includes(END_ID) ? [...script, END_ID] : repeat(script, request.maxTokens);
  const ids = all.slice(0, request.maxTokens);
  const { roundTokens = 3, roundMs = 0, failure } = options;
  const drafted = request.speculation.enabled ? roundTokens : 0;
  let accepted = 0;
  let steps = 0;
  for (let start = 0; start < ids.length; start += roundTokens) {
    await pause(roundMs, signal);
    if (failure?.atRound === steps) throw failure.error;
    onRound();
    steps++;
    const round = ids.slice(start, start + roundTokens);
    const origins = round.map((_, i) =>
      drafted > 0 && i < round.length - 1 ? ('draft' as const) : ('target' as const),
    );
    accepted += origins.filter((origin) => origin === 'draft').length;
    const logprobs =
      request.topLogprobs === undefined ? undefined : round.map((id) => logprob(id, request.topLogprobs!));
    yield { type: 'tokens', ids: round, origins, logprobs, numDraftTokens: drafted };
  }
  yield {
    type: 'done',
    finishReason: ids.at(-1) === END_ID ? 'stop' : 'length',
    stats: {
      promptTokens: request.promptIds.length,
      numCachedTokens: 0,
      generatedTokens: ids.length,
      numSpecSteps: drafted > 0 ? steps : 0,
      numDraftTokens: drafted * steps,
      numAcceptedTokens: accepted,
      acceptedPerPosition: [],
      queueMs: 1,
      prefillMs: 1,
      decodeMs: 1,
    },
  };
}

function toIds(answer: string | readonly number[]): readonly number[] {
  return typeof answer === 'string' ? [...new TextEncoder().encode(answer)] : answer;
}

function repeat(ids: readonly number[], count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => ids[i % ids.length]!);
}

function logprob(id: number, top: number): TokenLogprob {
  return { logprob: -id / 100, top: Array.from({ length: top }, (_, i) => ({ id: 65 + i, logprob: -i })) };
}

function promptLogprob(id: number, position: number): TokenLogprob | null {
  return position === 0 ? null : logprob(id, 1);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
