import { expect, test } from 'bun:test';
import { planFacts, serve } from '../src/serve.ts';
import type { Listen } from '../src/server/listen/types.ts';
import { exampleContent } from './artifact/example.ts';
import { startCollector } from './server/tracing/collector.ts';

test('serve() sends its last traces and closes the first port where the second is in use', async () => {
  using collector = startCollector();
  const closed: number[] = [];
  const listen: Listen = async ({ fetch, port }) => {
    if (port === 2) throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
    await fetch(new Request('http://127.0.0.1/v1/models'));
    return { port, stop: async () => {}, kill: () => void closed.push(port) };
  };
  const before = { ...process.env };
  // The delay is long: what comes in time has come because the shutdown sent it.
  const wanted = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '60000' };
  Object.assign(process.env, wanted, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
  try {
    const settings = { port: 1, portHealth: 2, artifact: 'none', host: '127.0.0.1' };
    await expect(serve({ settings, listen })).rejects.toMatchObject({ param: 'PORT_HEALTH' });
  } finally {
    for (const name of [...Object.keys(wanted), 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
  expect(closed).toEqual([1]);
  expect(collector.spans.map(({ name }) => name)).toEqual(['GET /v1/models']);
});

test("planFacts() tells the target's precision and how many tokens model and served draft know", () => {
  const manifest = { ...exampleContent, schemaVersion: 3, sdfpVersion: '0.0.0', files: [] };
  const serving = (servedDraft: string | null) => {
    const measured = { ...exampleContent.measured!, servedDraft };
    return planFacts({ ...manifest, target: { precision: 'int4', loss: null }, measured });
  };
  expect(serving('drop-2')).toMatchObject({
    target_precision: 'int4',
    vocab_size: 400,
    draft: 'drop-2',
    int4: ['1.mlp'],
    draft_vocab_size: 3,
  });
  expect(serving('drop-1')).toMatchObject({ draft: 'drop-1', draft_vocab_size: 400 });
  expect(serving(null)).toMatchObject({ draft: null, draft_vocab_size: 400 });
  expect(planFacts(manifest).target_precision).toBe('stored');
});
