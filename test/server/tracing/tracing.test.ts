import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTracing } from '../../../src/server/tracing/open-tracing.ts';
import { bakeStories } from '../../fakes/baked-artifact.ts';
import { ROOT } from '../../runtimes/processes.ts';
import { startServer } from '../server-process.ts';
import { startCollector } from './collector.ts';

const TIMEOUT_MS = 60_000;
const prompt = 'Once upon a time';
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';

let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sdfp-traces-'));
  await bakeStories(join(folder, 'artifact'));
  environment = { ARTIFACT: join(folder, 'artifact'), PORT: '0' };
}, TIMEOUT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('traces', () => {
  test.each([
    ['bun', ['bun', 'functions/bun.ts']],
    ['node', ['node', '--import', 'tsx', 'functions/node.ts']],
    ['deno', ['deno', 'run', '-A', 'functions/deno.ts']],
  ] as const)(
    '%s sends a span per request to the collector that the environment names',
    async (name, command) => {
      if (Bun.which(name) === null) return;
      using collector = startCollector();
      const server = await startServer(command, {
        ...environment,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_SERVICE_NAME: 'my-service',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        // Long: what comes in time has come because the shutdown sent it.
        OTEL_BSP_SCHEDULE_DELAY: '60000',
      });
      const response = await fetch(`${server.url}/v1/completions?secret=1`, {
        method: 'POST',
        headers: { traceparent: `00-${traceId}-${parent}-01` },
        body: JSON.stringify({ prompt, max_tokens: 24, seed: 1, stream: true, temperature: 0, n: 2 }),
      });
      await response.text();
      expect((await fetch(`${server.url}/v1/models/none`)).status).toBe(404);
      expect(await server.stop()).toBe(0);
      const span = await collector.spanOf('POST /v1/completions');
      expect(span).toMatchObject({ kind: 2, traceId, parentSpanId: parent });
      expect(span.attributes).toMatchObject({
        'http.request.method': 'POST',
        'http.route': '/v1/completions',
        'http.response.status_code': 200,
        'url.path': '/v1/completions',
        'gen_ai.operation.name': 'text_completion',
        'gen_ai.request.model': 'stories',
        'gen_ai.request.max_tokens': 24,
        'gen_ai.request.choice.count': 2,
        'gen_ai.request.stream': true,
        'gen_ai.usage.output_tokens': 48,
        'gen_ai.response.finish_reasons': ['length', 'length'],
      });
      const firstToken = Number(span.attributes['gen_ai.response.time_to_first_chunk']);
      const seconds = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e9;
      expect(firstToken).toBeGreaterThan(0);
      expect(firstToken).toBeLessThan(seconds);
      expect(span.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(3);
      expect(Object.keys(span.attributes)).toContain('sdfp.spec_decode.num_draft_tokens');
      expect(span.resource).toMatchObject({
        'service.name': 'my-service',
        'deployment.environment.name': 'test',
      });
      const refused = await collector.spanOf('GET /v1/models/:id');
      expect(refused.attributes).toMatchObject({ 'http.response.status_code': 404, 'error.type': '404' });
      expect(refused.traceId).not.toBe(traceId);
      expect(JSON.stringify(collector.spans)).not.toMatch(/Once|secret/);
    },
    TIMEOUT_MS,
  );

  test(
    'come from a handler on a platform that listens itself, too',
    async () => {
      using collector = startCollector();
      const program = `
        const { fetch } = await import('./functions/bun.ts');
        const { status } = await fetch(new Request('http://platform/live'));
        if (status !== 200) process.exit(1);
        setTimeout(() => process.exit(0), 20_000);`;
      const { PATH = '', HOME = '' } = process.env;
      const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '50' };
      const env = { PATH, HOME, ...environment, ...tracing };
      const child = Bun.spawn(['bun', '-e', program], { cwd: ROOT, env, stdout: 'ignore', stderr: 'ignore' });
      const { attributes } = await collector.spanOf('GET /live');
      expect(attributes).toMatchObject({ 'server.address': 'platform', 'http.response.status_code': 200 });
      child.kill();
      await child.exited;
    },
    TIMEOUT_MS,
  );

  test(
    'go as protobuf where that is asked for, and come by themselves',
    async () => {
      using collector = startCollector();
      const server = await startServer(['bun', 'functions/bun.ts'], {
        ...environment,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.endpoint}/v1/traces`,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_BSP_SCHEDULE_DELAY: '100',
      });
      await fetch(`${server.url}/v1/models`);
      for (let i = 0; i < 200 && collector.others.length === 0; i++) await Bun.sleep(50);
      const [first] = collector.others;
      expect(first!.type).toBe('application/x-protobuf');
      expect(first!.body).toContain('GET /v1/models');
      expect(await server.stop()).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    'a collector that is down is told once, and delays neither answers nor the end',
    async () => {
      const server = await startServer(['bun', 'functions/bun.ts'], {
        ...environment,
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        OTEL_BSP_SCHEDULE_DELAY: '50',
      });
      for (let i = 0; i < 5; i++) expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
      const startedMs = performance.now();
      expect(await server.stop()).toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(5000);
      expect(server.output().split('sending traces failed').length).toBeLessThanOrEqual(2);
    },
    TIMEOUT_MS,
  );
});

describe('openTracing()', () => {
  test('loads nothing and says nothing where nobody asks', async () => {
    const notes: string[] = [];
    expect(await openTracing({}, (line) => notes.push(line))).toBeUndefined();
    expect(notes).toEqual([]);
  });

  test('names what is needed for a protocol that it has not', async () => {
    const notes: string[] = [];
    const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    expect(await openTracing(variables, (line) => notes.push(line))).toBeUndefined();
    expect(notes.join()).toMatch(
      /OTEL_EXPORTER_OTLP_ENDPOINT is set, but the protocol grpc .* http\/json or/,
    );
  });
});
