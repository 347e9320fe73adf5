import type { GenerateRequest } from '../../src/engine/types.ts';
import type { RandomStream } from '../../src/lib/random.ts';
import { requestOf } from './helpers.ts';

/** A request with random prompt and parameters: each filter and penalty is on in some, all neutral in others. */
export function randomRequest(random: RandomStream, vocabSize: number, maxTokens: number): GenerateRequest {
  const maybe = <T>(share: number, make: () => T, otherwise: T): T =>
    random.next() < share ? make() : otherwise;
  const token = () => random.nextInt(vocabSize);
  return requestOf({
    promptIds: Array.from({ length: 1 + random.nextInt(12) }, token),
    maxTokens,
    stopTokenIds: maybe(0.2, () => [token(), token()], []),
    sampling: {
      temperature: maybe(0.8, () => 0.1 + 1.6 * random.next(), 0),
      topK: maybe(0.3, () => 1 + random.nextInt(vocabSize), 0),
      topP: maybe(0.4, () => random.next(), 1),
      minP: maybe(0.3, () => 0.3 * random.next(), 0),
      repetitionPenalty: maybe(0.4, () => 0.7 + random.next(), 1),
      presencePenalty: maybe(0.3, () => 4 * random.next() - 2, 0),
      frequencyPenalty: maybe(0.3, () => 4 * random.next() - 2, 0),
      logitBias: maybe(
        0.3,
        () =>
          new Map([
            [token(), 10 * random.next() - 5],
            [token(), -100],
          ]),
        new Map(),
      ),
      seed: random.nextBits(),
    },
  });
}

export function withDraftLength(request: GenerateRequest, draftLength: number | undefined): GenerateRequest {
  return { ...request, speculation: { ...request.speculation, draftLength } };
}

export function withoutSpeculation(request: GenerateRequest): GenerateRequest {
  return { ...request, speculation: { ...request.speculation, enabled: false } };
}
