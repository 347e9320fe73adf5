import { afterAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { RandomStream } from '../../src/lib/random.ts';
import { createApp, createModelHost } from '../../src/server/index.ts';
import { listen } from '../../src/server/listen/bun.ts';
import { collectTokenBytes } from '../../src/text/index.ts';
import { scriptedEngine } from '../engine/helpers.ts';
import { BYTE_VOCAB_SIZE, createByteCodec, END_ID } from '../fakes/byte-codec.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';

/** Set FUZZ_SEED to try others; the number of requests is bounded, so that it takes seconds. */
const SEED = Number(process.env.FUZZ_SEED ?? 20260101);
const REQUESTS = 1500;

const text = createByteCodec();
const engine = scriptedEngine(new ScriptedModel({ vocabSize: BYTE_VOCAB_SIZE }));
engine.setVocabulary(collectTokenBytes(text, BYTE_VOCAB_SIZE));
const host = createModelHost();
const defaults = {
  bosTokenId: undefined,
  eosTokenIds: [END_ID],
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  repetitionPenalty: undefined,
};
host.ready({ id: 'm', engine, text, defaults, createdSeconds: 0 });
const log: string[] = [];
const app = createApp({ host, log: (line) => log.push(line) });
afterAll(() => engine.dispose());

const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
const tool = { type: 'function', function: { name: 'f', parameters: schema } };
const shared = {
  model: 'm',
  stream: true,
  stream_options: { include_usage: true },
  temperature: 1,
  top_p: 0.9,
  top_k: 5,
  min_p: 0.1,
  seed: 1,
  stop: ['a'],
  n: 2,
  presence_penalty: 1,
  frequency_penalty: 1,
  repetition_penalty: 1.1,
  logit_bias: { '65': 1 },
  speculative: { enabled: true, draft_tokens: 2 },
  return_token_ids: true,
  ignore_eos: false,
  user: 'u',
};
/** A body that is right, for every route that takes one. */
const RIGHT: Readonly<Record<string, Record<string, unknown>>> = {
  '/v1/chat/completions': {
    ...shared,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }],
    max_tokens: 8,
    logprobs: true,
    top_logprobs: 2,
    tools: [tool],
    tool_choice: 'required',
    response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
  },
  '/v1/completions': {
    ...shared,
    prompt: 'a',
    max_tokens: 8,
    logprobs: 1,
    echo: true,
    response_format: { type: 'json_object' },
  },
  '/v1/responses': {
    ...shared,
    input: [{ role: 'user', content: 'a' }],
    instructions: 'b',
    max_output_tokens: 8,
    text: { format: { type: 'json_schema', name: 's', schema } },
    metadata: { a: 'b' },
  },
  '/tokenize': { prompt: 'a', add_special_tokens: true },
  '/detokenize': { tokens: [65, 66] },
};

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
/** JSON, or what pretends to be, as text: values that no field expects. */
const ODD: readonly string[] = [
  'null',
  'true',
  '-1',
  '0',
  '1.5',
  '1e999',
  '-1e999',
  '9007199254740993',
  '123456789012345678901234567890',
  'NaN',
  'Infinity',
  'undefined',
  '""',
  '"\\ud800"',
  '"\\udc00 \\u0000 \\uffff"',
  '"__proto__"',
  '[]',
  '[[]]',
  '{}',
  '{"__proto__": {"polluted": true}}',
  '{"constructor": {"prototype": {"polluted": true}}}',
  '{"toString": 1, "hasOwnProperty": 2, "length": -1}',
  '{"type": "json_schema", "json_schema": {"name": "s", "schema": {"properties": {"__proto__": {"type": "string"}, "toString": {}}}}}',
  '{"type": "json_schema", "json_schema": {"name": "s", "schema": {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}}}}',
  '{"type": "json_schema", "json_schema": {"name": "s", "schema": {"allOf": [{"$ref": "#"}]}}}',
  '{"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "string", "minLength": 1e9}}}',
  '{"type": "json_schema", "json_schema": {"name": "s", "schema": {"enum": []}}}',
  '{"type": "json_schema", "json_schema": {"name": "s", "schema": {"anyOf": []}}}',
  '{"type": "json_schema", "json_schema": {"name": "s", "schema": {"required": ["a"], "properties": []}}}',
  '[1, "a", null, {}]',
  '[-1, 1e10]',
  '[99999]',
  deep(300),
  deep(50_000),
  `"${'x'.repeat(100_000)}"`,
  `[${'65,'.repeat(20_000)}65]`,
];

/** A right body with up to three of its values, at any depth, made odd; now and then cut or doubled as text. */
function mutate(body: unknown, random: RandomStream): string {
  const holes: string[] = [];
  let copy = structuredClone(body);
  for (let i = random.nextInt(4); i > 0; i--) {
    const hole = `@${holes.push(ODD[random.nextInt(ODD.length)]!) - 1}@`;
    copy = replaceSome(copy, hole, random);
  }
  let json = JSON.stringify(copy);
  for (const [index, odd] of holes.entries()) json = json.replaceAll(`"@${index}@"`, () => odd);
  const fate = random.nextInt(20);
  if (fate === 0) return json.slice(0, random.nextInt(json.length));
  if (fate === 1) return json + json;
  if (fate === 2) return ODD[random.nextInt(ODD.length)]!;
  return json;
}

function replaceSome(value: unknown, hole: string, random: RandomStream): unknown {
  if (typeof value !== 'object' || value === null) return hole;
  const entries = Object.entries(value);
  const chosen = random.nextInt(entries.length + 1);
  if (entries.length === chosen) return random.nextInt(4) === 0 ? hole : { ...value, [`extra${hole}`]: hole };
  const changed = entries.map(([key, item], index) => [
    key,
    index === chosen ? replaceSome(item, hole, random) : item,
  ]);
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
}

function post(path: string, body: string, signal?: AbortSignal): Promise<Response> {
  return Promise.resolve(app.request(path, { method: 'POST', body, ...(signal && { signal }) }));
}

async function isAlive(): Promise<boolean> {
  const response = await post('/v1/completions', JSON.stringify({ prompt: 'abc', max_tokens: 3, seed: 1 }));
  const metrics = await (await app.request('/metrics')).text();
  return response.status === 200 && metrics.includes('\nsdfp_num_requests_running 0\n');
}

describe(`fuzzing with seed ${SEED}`, () => {
  test('no body gives a 5xx, every refusal is an error of ours', async () => {
    const random = new RandomStream(SEED);
    const paths = Object.keys(RIGHT);
    const statuses = new Map<number, number>();
    for (let i = 0; i < REQUESTS; i++) {
      const path = paths[i % paths.length]!;
      const body = mutate(RIGHT[path], random);
      const response = await post(path, body);
      const answer = await response.text();
      const facts = `${path} ${body.slice(0, 500)} -> ${response.status} ${answer.slice(0, 300)}`;
      if (response.status >= 500) throw new Error(facts);
      if (response.status >= 400) {
        expect([facts, Object.keys(JSON.parse(answer).error)]).toEqual([
          facts,
          ['message', 'type', 'param', 'code'],
        ]);
      } else if (/^event: error$/m.test(answer)) {
        throw new Error(facts);
      }
      expect(response.headers.get('x-request-id')).not.toBeNull();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
    expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 10);
    expect(statuses.get(400)).toBeGreaterThan(REQUESTS / 4);
    expect(Object({}).polluted).toBeUndefined();
    expect(await isAlive()).toBe(true);
  }, 120_000);

  test('clients that leave at any moment leave nothing behind', async () => {
    const random = new RandomStream(SEED + 1);
    const body = (stream: boolean) =>
      JSON.stringify({ prompt: 'abc', max_tokens: 400, ignore_eos: true, n: 3, stream });
    const visits = Array.from({ length: 60 }, async (_, index) => {
      const leaver = new AbortController();
      const leaving = Bun.sleep(random.nextInt(60)).then(() => leaver.abort());
      const response = await post('/v1/completions', body(index % 2 === 0), leaver.signal);
      // The signal of a request that is not sent over a port does not end its body.
      const reader = response.body?.getReader();
      for (let i = random.nextInt(4); i > 0; i--) await reader?.read();
      await reader?.cancel();
      await leaving;
    });
    await Promise.all(visits);
    for (let i = 0; engine.load().running > 0 && i < 50; i++) await Bun.sleep(10);
    expect(engine.load()).toEqual({ running: 0, waiting: 0 });
    expect(await isAlive()).toBe(true);
  }, 60_000);

  test('broken HTTP, half requests and slammed connections leave the server alive', async () => {
    const server = await listen({ fetch: app.fetch, host: '127.0.0.1', port: 0 });
    const random = new RandomStream(SEED + 2);
    const json = JSON.stringify({ prompt: 'abc', max_tokens: 200, ignore_eos: true, stream: true });
    const whole = `POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-length: ${json.length}\r\n\r\n${json}`;
    const starts = [
      'GET / HTTP/1.1\r\n',
      'NONSENSE\r\n\r\n',
      '\0\x01\x02\xff\r\n\r\n',
      `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
      `GET / HTTP/1.1\r\nx: ${'a'.repeat(200_000)}\r\n\r\n`,
      'POST /v1/completions HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\n{}',
      'POST /v1/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      whole.slice(0, whole.length - 10),
      whole,
    ];
    const sendAndSlam = (data: string, ms: number): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => socket.write(data, 'latin1'));
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        setTimeout(() => socket.destroy(), ms);
      });
    await Promise.all(
      Array.from({ length: 60 }, () =>
        sendAndSlam(starts[random.nextInt(starts.length)]!, random.nextInt(80)),
      ),
    );
    const live = await fetch(`http://127.0.0.1:${server.port}/live`);
    expect(live.status).toBe(200);
    for (let i = 0; engine.load().running > 0 && i < 100; i++) await Bun.sleep(10);
    expect(engine.load()).toEqual({ running: 0, waiting: 0 });
    server.kill();
    expect(await isAlive()).toBe(true);
  }, 30_000);

  test('nothing that people wrote is in the log', () => {
    expect(log.length).toBeGreaterThan(REQUESTS);
    expect(log.join('')).not.toMatch(/xxxxx|polluted/);
  });
});
