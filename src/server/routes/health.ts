import { Hono } from 'hono';
import type { AppEnv } from '../context.ts';
import type { HostState, ModelHost } from '../model-host.ts';

const PING: Record<HostState, 200 | 204 | 503> = {
  loading: 204,
  ready: 200,
  restarting: 204,
  draining: 503,
  failed: 503,
};

/** `/live` (the process), `/health` (the model), `/ping` (as RunPod and SageMaker ask). Cheap, without a key. */
export function healthRoutes(host: ModelHost): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.get('/live', (c) => c.json({ status: 'ok' }));
  app.get('/health', (c) => {
    const { state, model } = host;
    const facts = {
      state,
      model: model?.id ?? '',
      provider: model?.engine.info.provider ?? '',
      threads: model?.threads ?? null,
    };
    return state === 'ready' ? c.json(facts) : c.json(facts, 503, { 'retry-after': '1' });
  });
  app.get('/ping', (c) => c.body(null, PING[host.state]));
  return app;
}
