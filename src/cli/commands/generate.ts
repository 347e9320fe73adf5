import type { DoneEvent, GenerateRequest, LocalEngine } from '../../engine/index.ts';
import { toMetrics, toUsage } from '../../server/generation/tally.ts';
import type { StreamDecoder } from '../../text/index.ts';
import { type Command, defineCommand, exactlyOne, jsonFlag } from '../command.ts';
import {
  completeSampling,
  parseRuntime,
  parseSampling,
  parseSpeculation,
  runtimeFlags,
  samplingFlags,
  speculationFlags,
} from '../generation-flags.ts';
import { type OpenModel, openModel } from '../model.ts';
import type { Terminal } from '../terminal.ts';
import { parseIds, parseNumber } from '../values.ts';

/** What is left of the context is the limit beyond this. */
const DEFAULT_MAX_TOKENS = 256;

const command: Command = defineCommand({
  args: {
    dir: {
      type: 'positional',
      required: true,
      description: 'An artifact, or a model folder (without a model draft)',
    },
    prompt: { type: 'string', valueHint: 'TEXT', description: 'Text to continue' },
    'prompt-ids': {
      type: 'string',
      valueHint: '1,2,3',
      description:
        'Token ids to continue, used as given; tokenizer.json is needed all the same, for the text of the answer',
    },
    'max-tokens': {
      type: 'string',
      valueHint: 'N',
      description: 'Most tokens to generate; default 256, or what the context has left',
    },
    ...samplingFlags,
    ...speculationFlags,
    'ignore-eos': { type: 'boolean', description: "Go on to --max-tokens past the model's end tokens" },
    ...runtimeFlags,
    json: jsonFlag,
  },
  details: `
The text goes to stdout while it is generated, statistics to stderr. With --json one line:
  {ids, text, finish_reason, seed, usage, metrics}   ids end with the end token, where one was generated
Sampling defaults are those of the folder's generation_config.json. With --temperature 0 they are left out, a repetition
penalty included: every token is then the most likely one, but for penalties given as flags.`,
  async run(args, { signal, terminal }) {
    exactlyOne(['--prompt', '--prompt-ids'], [args.prompt, args['prompt-ids']]);
    // All flags are checked before the model is loaded, which takes seconds.
    const ids = args['prompt-ids'] === undefined ? undefined : parseIds('prompt-ids', args['prompt-ids']);
    const maxTokens = parseNumber('max-tokens', args['max-tokens'], { min: 1, isWhole: true });
    const sampling = parseSampling(args);
    const speculation = parseSpeculation(args);
    await using model = await openModel(args.dir, parseRuntime(args));
    const promptIds = ids ?? encodePrompt(model, args.prompt ?? '');
    const left = model.engine.info.maxContextTokens - promptIds.length;
    const request: GenerateRequest = {
      promptIds,
      maxTokens: maxTokens ?? Math.max(1, Math.min(DEFAULT_MAX_TOKENS, left)),
      sampling: completeSampling(sampling, model.defaults),
      speculation,
      stopTokenIds: args['ignore-eos'] ? [] : model.defaults.eosTokenIds,
      topLogprobs: undefined,
    };
    const decoder = model.text.streamDecoder({ after: promptIds });
    const print = args.json ? () => undefined : terminal.write;
    const answer = await collect(model.engine, request, decoder, print, signal);
    if (args.json) terminal.writeJson(toJson(answer, request));
    else report(answer, request, terminal);
  },
});
export default command;

interface Answer {
  readonly ids: readonly number[];
  readonly text: string;
  readonly done: DoneEvent;
}

/** An empty text is a text that only begins. */
function encodePrompt({ text, defaults }: OpenModel, prompt: string): readonly number[] {
  const ids = text.encode(prompt);
  return ids.length === 0 && defaults.bosTokenId !== undefined ? [defaults.bosTokenId] : ids;
}

async function collect(
  engine: LocalEngine,
  request: GenerateRequest,
  decoder: StreamDecoder,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<Answer> {
  const ids: number[] = [];
  let text = '';
  const add = (piece: string): void => {
    text += piece;
    if (piece !== '') print(piece);
  };
  for await (const event of engine.generate(request, signal)) {
    if (event.type === 'done') {
      add(decoder.flush());
      return { ids, text, done: event };
    }
    if (event.type !== 'tokens') continue;
    ids.push(...event.ids);
    for (const id of event.ids) add(decoder.push(id));
  }
  throw new Error('the engine ended without saying why');
}

function toJson({ ids, text, done }: Answer, request: GenerateRequest): object {
  const { stats } = done;
  const tally = tallyOf(done);
  return {
    ids,
    text,
    finish_reason: done.finishReason,
    seed: request.sampling.seed,
    usage: toUsage(tally, stats.promptTokens),
    metrics: {
      ...toMetrics(tally),
      prefill_ms: stats.prefillMs,
      decode_ms: stats.decodeMs,
      tokens_per_second: tokensPerSecond(done),
    },
  };
}

function report({ done }: Answer, request: GenerateRequest, terminal: Terminal): void {
  terminal.write('\n');
  const { stats } = done;
  const { speculative_decoding: speculation } = toMetrics(tallyOf(done));
  const speed = tokensPerSecond(done);
  const parts = [
    `${stats.promptTokens} prompt tokens in ${stats.prefillMs.toFixed(0)} ms`,
    `${stats.generatedTokens} tokens${speed === null ? '' : ` at ${speed.toFixed(1)} tokens/s`}`,
    speculation.num_draft_tokens === 0
      ? 'no drafts'
      : `${speculation.num_accepted_draft_tokens} of ${speculation.num_draft_tokens} drafted tokens accepted, ${speculation.mean_acceptance_length.toFixed(2)} tokens per drafting round`,
    `ended by ${done.finishReason}`,
    `seed ${request.sampling.seed}`,
  ];
  terminal.note(parts.join('; '));
}

function tallyOf({ stats }: DoneEvent): Parameters<typeof toMetrics>[0] {
  return {
    generatedTokens: stats.generatedTokens,
    specSteps: stats.numSpecSteps,
    draftTokens: stats.numDraftTokens,
    acceptedTokens: stats.numAcceptedTokens,
    cachedTokens: stats.numCachedTokens,
  };
}

/** Of the rounds after the prompt, whose first token the prompt's own pass gave; null where there is no such round. */
function tokensPerSecond({ stats }: DoneEvent): number | null {
  return stats.generatedTokens < 2 ? null : ((stats.generatedTokens - 1) * 1000) / stats.decodeMs;
}
