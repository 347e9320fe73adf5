import { Hono } from 'hono';
import {
  type DetokenizeAnswer,
  DetokenizeSchema,
  parseBody,
  type TokenizeAnswer,
  type TokenizeRequest,
  TokenizeSchema,
} from '../../api/index.ts';
import { SdfpError } from '../../lib/errors.ts';
import { readJson } from '../body.ts';
import type { AppEnv, ServerContext } from '../context.ts';
import { createPromptEncoder } from '../generation/encode-prompt.ts';
import type { ServedModel } from '../model-host.ts';
import { openScope } from '../scope.ts';

/** `/tokenize` and `/detokenize`, as in vLLM. */
export function tokenRoutes({ host, admission, requestTimeoutMs }: ServerContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.post('/tokenize', async (c) => {
    const request = parseBody(TokenizeSchema, await readJson(c));
    // A place as for a generation: encoding a long text takes as much of the machine as a short answer.
    const release = admission.enter();
    const scope = openScope(c.req.raw.signal, requestTimeoutMs);
    scope.onClose(release);
    try {
      const model = await host.whenReady(scope.signal);
      const tokens = await scope.outlast(tokenize(model, request, scope.signal));
      const { maxContextTokens } = model.engine.info;
      return c.json<TokenizeAnswer>({ tokens, count: tokens.length, max_model_len: maxContextTokens });
    } finally {
      scope.close();
    }
  });
  app.post('/detokenize', async (c) => {
    const { tokens } = parseBody(DetokenizeSchema, await readJson(c));
    const { text, engine } = await host.whenReady(c.req.raw.signal);
    const unknown = tokens.find((id) => id >= engine.info.vocabSize);
    if (unknown !== undefined) throw unknownToken(unknown, engine.info.vocabSize);
    return c.json<DetokenizeAnswer>({ prompt: text.decode(tokens, { skipSpecialTokens: false }) });
  });
  return app;
}

async function tokenize(
  model: ServedModel,
  { source, addSpecialTokens, addGenerationPrompt }: TokenizeRequest,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const encode = createPromptEncoder(model, signal);
  if ('prompt' in source) return encode(source.prompt, { addSpecialTokens });
  const text = model.text.renderChat(source.messages, { addGenerationPrompt });
  return encode(text, { addSpecialTokens: false });
}

function unknownToken(id: number, vocabSize: number): SdfpError {
  const problem = `\`tokens\` has the id ${id}, needs ids under ${vocabSize}`;
  return new SdfpError('invalid_request', `Reading the request: ${problem}.`, { param: 'tokens' });
}
