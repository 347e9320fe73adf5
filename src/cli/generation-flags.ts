import { MAX_DRAFT_LENGTH, type SamplingParams, type SpeculationParams } from '../engine/index.ts';
import type { GenerationDefaults } from '../hf/types.ts';
import { SAMPLING_BOUNDS } from '../lib/sampling-bounds.ts';
import type { Provider } from '../runtime/index.ts';
import { completeSampling as completeByRule, type SamplingChoice } from '../server/generation/sampling.ts';
import type { RuntimeOptions } from './model.ts';
import { type NumberBounds, parseNumber } from './values.ts';

type Verification = SpeculationParams['verification'];

const MAX_SEED = 2 ** 32 - 1;

/** Flags of commands that generate, in citty's terms. */
export const samplingFlags = {
  temperature: {
    type: 'string',
    valueHint: 'T',
    description: "0 = greedy. Default: the model folder's; 0 where it names none or says do_sample false",
  },
  'top-k': {
    type: 'string',
    valueHint: 'K',
    description: "Only the K most likely tokens; 0 = off. Default: the model folder's, else off",
  },
  'top-p': {
    type: 'string',
    valueHint: 'P',
    description:
      "Only the most likely tokens that together have probability P. Default: the model folder's, else 1 (off)",
  },
  'min-p': {
    type: 'string',
    valueHint: 'P',
    description: 'Only tokens with at least P times the probability of the most likely one; default 0 (off)',
  },
  'repetition-penalty': {
    type: 'string',
    valueHint: 'R',
    description: "Divides the logits of tokens already present. Default: the model folder's, else 1 (off)",
  },
  'presence-penalty': {
    type: 'string',
    valueHint: 'A',
    description: 'Taken once from the logits of generated tokens, -2 to 2; default 0',
  },
  'frequency-penalty': {
    type: 'string',
    valueHint: 'A',
    description: 'Taken from the logits of generated tokens per occurrence, -2 to 2; default 0',
  },
  seed: {
    type: 'string',
    valueHint: 'S',
    description:
      'The same seed gives the same text, with and without speculation; default: another one each time',
  },
} as const;

/** Flags about speculation, in citty's terms. */
export const speculationFlags: {
  speculation: { type: 'boolean'; default: true; description: string; negativeDescription: string };
  'draft-tokens': { type: 'string'; valueHint: string; description: string };
  verification: { type: 'enum'; options: Verification[]; description: string };
} = {
  speculation: {
    type: 'boolean',
    default: true,
    description: 'Draft tokens and verify them; the text is the same without',
    negativeDescription: 'Decode plainly',
  },
  'draft-tokens': {
    type: 'string',
    valueHint: 'N',
    description: 'Draft exactly N tokens per round, 1 to 16; default: chosen by measured cost, 0 included',
  },
  verification: {
    type: 'enum',
    options: ['coupled', 'rejection'],
    description:
      'coupled: the text of a seed is the same without speculation; rejection: the same distribution, another text. Default coupled',
  },
};

/** Flags about the session, in citty's terms. */
export const runtimeFlags: {
  provider: { type: 'enum'; options: Provider[]; description: string };
  threads: { type: 'string'; valueHint: string; description: string };
} = {
  provider: {
    type: 'enum',
    options: ['cpu', 'cuda', 'webgpu'],
    description: 'Execution provider of ONNX Runtime; default cpu',
  },
  threads: {
    type: 'string',
    valueHint: 'N',
    description:
      'Threads of the session; default: as many as the build found fastest on the same processor, else one per physical core, or per usable core where these are fewer',
  },
};

type Texts<Flags> = { readonly [Name in keyof Flags]?: string | undefined };

/** Checks the flags alone, before a model is loaded. Throws SdfpError `invalid_request`. */
export function parseSampling(flags: Texts<typeof samplingFlags>): SamplingChoice {
  const read = (name: keyof typeof samplingFlags, bounds: NumberBounds) =>
    parseNumber(name, flags[name], bounds);
  return {
    temperature: read('temperature', SAMPLING_BOUNDS.temperature),
    topK: read('top-k', { min: 0, isWhole: true }),
    topP: read('top-p', SAMPLING_BOUNDS.topP),
    minP: read('min-p', SAMPLING_BOUNDS.minP),
    repetitionPenalty: read('repetition-penalty', SAMPLING_BOUNDS.repetitionPenalty),
    presencePenalty: read('presence-penalty', { min: -2, max: 2 }),
    frequencyPenalty: read('frequency-penalty', { min: -2, max: 2 }),
    seed: read('seed', { min: 0, max: MAX_SEED, isWhole: true }),
  };
}

/** The rule of requests to the server, but for greedy decoding where neither flags nor folder name a temperature. */
export function completeSampling(choice: SamplingChoice, folder: GenerationDefaults): SamplingParams {
  return completeByRule(choice, folder, { temperature: 0 });
}

/** Throws SdfpError `invalid_request`. */
export function parseSpeculation(flags: {
  readonly speculation: boolean;
  readonly 'draft-tokens'?: string | undefined;
  readonly verification?: Verification | undefined;
}): SpeculationParams {
  const bounds = { min: 1, max: MAX_DRAFT_LENGTH, isWhole: true };
  const draftLength = parseNumber('draft-tokens', flags['draft-tokens'], bounds);
  return { enabled: flags.speculation, draftLength, verification: flags.verification ?? 'coupled' };
}

/** Throws SdfpError `invalid_request`. */
export function parseRuntime(flags: {
  readonly provider?: RuntimeOptions['provider'];
  readonly threads?: string | undefined;
}): RuntimeOptions {
  return {
    provider: flags.provider,
    threads: parseNumber('threads', flags.threads, { min: 1, max: 1024, isWhole: true }),
  };
}
