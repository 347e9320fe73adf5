import { Hono } from 'hono';
import { ChatSchema, CompletionSchema, parseBody, ResponsesSchema } from '../../api/index.ts';
import { readJson } from '../body.ts';
import type { AppEnv, ServerContext } from '../context.ts';
import { createChatFormat } from '../generation/chat-format.ts';
import { chatJob, completionJob } from '../generation/job.ts';
import { respond } from '../generation/respond.ts';
import { createResponsesFormat } from '../generation/responses-format.ts';
import { createTextFormat } from '../generation/text-format.ts';

/** `/v1/chat/completions`, `/v1/completions` and `/v1/responses`. */
export function completionRoutes(server: ServerContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.post('/v1/chat/completions', async (c) => {
    const options = parseBody(ChatSchema, await readJson(c));
    return respond(c, server, {
      options,
      toJob: (model, signal) => chatJob(model, options, { signal }),
      createFormat: (context) => createChatFormat(options, context),
    });
  });
  app.post('/v1/completions', async (c) => {
    const options = parseBody(CompletionSchema, await readJson(c));
    return respond(c, server, {
      options,
      prompts: options.prompts.length,
      toJob: (model, signal) => completionJob(model, options, signal),
      createFormat: createTextFormat,
    });
  });
  app.post('/v1/responses', async (c) => {
    const options = { ...parseBody(ResponsesSchema, await readJson(c)), choices: 1 };
    return respond(c, server, {
      options,
      toJob: (model, signal) =>
        chatJob(model, options, { signal, fields: { messages: 'input', format: 'text' } }),
      createFormat: (context) => createResponsesFormat(options, context),
    });
  });
  return app;
}
