import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { messageOf, SdfpError } from '../lib/errors.ts';
import { isNotFound, readJsonFile, readOptionalJsonFile } from '../lib/json-file.ts';
import { CHAT_TEMPLATE_FILE, TOKENIZER_CONFIG_FILE, TOKENIZER_FILE } from '../lib/model-files.ts';
import { explainSystemError } from '../lib/system-error.ts';
import { type ChatTemplates, parseChatTemplates } from './chat-template.ts';
import { asList, asRecord, asTokenText } from './json.ts';
import { parseSpelling } from './spelling.ts';
import { createStreamDecoder, type Vocabulary } from './stream-decoder.ts';
import { findMaxUnitsPerToken } from './token-length.ts';
import type { TextCodec } from './types.ts';

/** Options of {@linkcode loadTextCodec}. */
export interface TextCodecOptions {
  /** The present for templates that print a date; default the clock. */
  readonly now?: () => Date;
}

/**
 * Loads the tokenizer and chat template of a model folder or artifact: tokenizer.json and, where they exist,
 * tokenizer_config.json and chat_template.jinja. Throws SdfpError `model_unreadable` if tokenizer.json is missing or
 * malformed, `model_unsupported` for a decoder that cannot be streamed.
 */
export async function loadTextCodec(dir: string, options: TextCodecOptions = {}): Promise<TextCodec> {
  const json = toRecord(await readJsonFile(join(dir, TOKENIZER_FILE), 'model_unreadable'), TOKENIZER_FILE);
  const configJson = await readOptionalJsonFile(join(dir, TOKENIZER_CONFIG_FILE), 'model_unreadable');
  const config = toRecord(configJson ?? {}, TOKENIZER_CONFIG_FILE);
  const tokenizer = createTokenizer(json, config);
  const chat = parseChatTemplates(config, await readTemplateFile(dir));
  return createCodec(
    tokenizer,
    readVocabulary(tokenizer, json, config),
    findMaxUnitsPerToken(json),
    chat,
    options.now ?? (() => new Date()),
  );
}

function createCodec(
  tokenizer: Tokenizer,
  vocabulary: Vocabulary,
  maxUnitsPerToken: number | undefined,
  chat: ChatTemplates,
  now: () => Date,
): TextCodec {
  return {
    hasChatTemplate: !chat.isEmpty,
    maxUnitsPerToken,
    toolCallForm: chat.toolCallForm,
    encode: (text, { addSpecialTokens = true } = {}) =>
      tokenizer.encode(text, { add_special_tokens: addSpecialTokens }).ids,
    decode(ids, { skipSpecialTokens = true } = {}) {
      const decoder = createStreamDecoder(vocabulary, skipSpecialTokens);
      return ids.map((id) => decoder.push(id)).join('') + decoder.flush();
    },
    renderChat: (messages, { addGenerationPrompt = true, tools = [] } = {}) =>
      chat.render(messages, { addGenerationPrompt, tools, now: now() }),
    streamDecoder({ after = [], skipSpecialTokens = true } = {}) {
      const decoder = createStreamDecoder(vocabulary, skipSpecialTokens);
      for (const id of after) decoder.push(id);
      return decoder;
    },
    tokenBytes(id) {
      const token = vocabulary.tokenOf(id);
      if (token === undefined) return new Uint8Array();
      return vocabulary.spelling.bytes(token, vocabulary.isAdded(id), false);
    },
    isSpecial: (id) => vocabulary.isSpecial(id),
    tokenText: (id) => vocabulary.tokenOf(id) ?? '',
  };
}

function createTokenizer(json: object, config: object): Tokenizer {
  try {
    return new Tokenizer(json, config);
  } catch (cause) {
    const found = messageOf(cause);
    throw new SdfpError('model_unreadable', `Cannot use tokenizer.json: ${found}.`, { cause });
  }
}

function readVocabulary(
  tokenizer: Tokenizer,
  json: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
): Vocabulary {
  const added = tokenizer.get_added_tokens_decoder();
  const listed = asList(config.additional_special_tokens).map(asTokenText);
  const specials = new Set<number>();
  for (const token of added.values()) {
    if (token.special || listed.includes(token.content)) specials.add(token.id);
  }
  return {
    spelling: parseSpelling(json.decoder),
    tokenOf: (id) => tokenizer.id_to_token(id),
    isAdded: (id) => added.has(id),
    isSpecial: (id) => specials.has(id),
  };
}

async function readTemplateFile(dir: string): Promise<string | undefined> {
  const path = join(dir, CHAT_TEMPLATE_FILE);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isNotFound(cause)) return undefined;
    throw new SdfpError('model_unreadable', `Cannot read ${path}: ${explainSystemError(cause)}.`, { cause });
  }
}

function toRecord(json: unknown, file: string): Readonly<Record<string, unknown>> {
  const record = asRecord(json);
  if (record !== undefined) return record;
  throw new SdfpError('model_unreadable', `Cannot use ${file}: a JSON object is needed.`);
}
