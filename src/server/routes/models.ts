import { Hono } from 'hono';
import type { ModelList, ModelObject } from '../../api/index.ts';
import type { AppEnv, ServerContext } from '../context.ts';
import { checkModel } from '../generation/respond.ts';
import type { ServedModel } from '../model-host.ts';

/** `/v1/models` and `/v1/models/{id}`: OpenAI's object and `max_model_len`. An empty list while the model loads. */
export function modelRoutes({ host }: ServerContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.get('/v1/models', (c) => {
    const list: ModelList = { object: 'list', data: host.model === undefined ? [] : [toObject(host.model)] };
    return c.json(list);
  });
  // Ids may hold slashes, as on the Hugging Face hub.
  app.get('/v1/models/:id{.+}', async (c) => {
    const model = host.model ?? (await host.whenReady(c.req.raw.signal));
    checkModel(model, c.req.param('id'));
    return c.json(toObject(model));
  });
  app.get('/plan', async (c) => {
    const model = await host.whenReady(c.req.raw.signal);
    const { provider, maxContextTokens, hasDraft } = model.engine.info;
    return c.json({
      model: model.id,
      provider,
      max_model_len: maxContextTokens,
      has_draft: hasDraft,
      has_chat_template: model.text.hasChatTemplate,
      inspect: model.inspect ?? null,
    });
  });
  return app;
}

function toObject({ id, createdSeconds, engine }: ServedModel): ModelObject {
  return {
    id,
    object: 'model',
    created: createdSeconds,
    owned_by: 'sdfp',
    max_model_len: engine.info.maxContextTokens,
  };
}
