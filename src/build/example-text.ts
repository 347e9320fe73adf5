import { DEFAULT_SAMPLING, type Engine, type SpeculationParams } from '../engine/index.ts';
import type { ExamplePiece, ExampleText } from '../report/types.ts';
import type { TextCodec } from '../text/types.ts';

const TOKENS = 160;
const SEED = 1;

/** What is written, and by whom. */
export interface ExampleOptions {
  readonly engine: Engine;
  readonly text: TextCodec;
  readonly promptIds: readonly number[];
  readonly temperature: number;
  readonly speculation: SpeculationParams;
  readonly stopTokenIds: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** Lets the model go on with a prompt, and notes where each token came from. */
export async function writeExample(options: ExampleOptions): Promise<ExampleText> {
  const { engine, text, promptIds, temperature, speculation, stopTokenIds, signal } = options;
  const decoder = text.streamDecoder({ after: promptIds });
  const pieces: ExamplePiece[] = [];
  const request = {
    promptIds,
    maxTokens: Math.min(TOKENS, engine.info.maxContextTokens - promptIds.length),
    sampling: { ...DEFAULT_SAMPLING, temperature, seed: SEED },
    speculation,
    stopTokenIds,
    topLogprobs: undefined,
  };
  for await (const event of engine.generate(request, signal)) {
    if (event.type !== 'tokens') continue;
    event.ids.forEach((id, i) => {
      pieces.push({ text: decoder.push(id), origin: event.origins[i]! });
    });
  }
  const rest = decoder.flush();
  if (rest !== '') pieces.push({ text: rest, origin: pieces.at(-1)!.origin });
  return { prompt: text.decode(promptIds), temperature, seed: SEED, pieces };
}
