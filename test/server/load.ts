/** Load for a running server: what the tests send a little of and `test/bench/soak.ts` a lot. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RandomStream } from '../../src/lib/random.ts';
import { parseEvents, readChunks, textOf } from './harness.ts';
import type { ServerProcess } from './server-process.ts';

/** What a server that tells of its event loop is started with, see {@linkcode longestStall}. */
export const EVENT_LOOP_PROBE = './test/server/event-loop-probe.ts';

/** The slowest text to encode: no word repeats, none ends. */
export function randomLetters(random: RandomStream, count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(97 + random.nextInt(26))).join('');
}

/** How a request ended. `failed`: anything that is neither a whole answer, a refusal (429) nor our own cancelling. */
export type Outcome = 'answered' | 'refused' | 'cancelled' | 'failed';

export interface LoadReport {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Of those that failed, the first few. */
  readonly failures: readonly string[];
}

/** A value of /metrics. Throws if there is none of that name. */
export async function readMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
  if (line === undefined) throw new Error(`no ${name} in /metrics`);
  return Number(line.slice(line.lastIndexOf(' ')));
}

/** Milliseconds until no generation runs or waits; throws after `limitMs`. */
export async function untilIdle(url: string, limitMs: number): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const running = await readMetric(url, 'sdfp_num_requests_running');
    const waiting = await readMetric(url, 'sdfp_num_requests_waiting');
    const ms = performance.now() - startedMs;
    if (running === 0 && waiting === 0) return ms;
    if (ms > limitMs) throw new Error(`after ${limitMs} ms ${running} generations run and ${waiting} wait`);
    await sleep(5);
  }
}

/** Text of a streamed completion with all its chunks in order. Throws if the answer is no whole stream. */
export async function streamText(url: string, body: object): Promise<string> {
  const response = await post(url, '/v1/completions', { ...body, stream: true });
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  return textOf(await readChunks(response));
}

/** Milliseconds from sending a request to its first event with text. */
export async function timeToFirstToken(url: string, body: object): Promise<number> {
  const startedMs = performance.now();
  const response = await post(url, '/v1/completions', { ...body, stream: true });
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of response.body!) {
    text += decoder.decode(part, { stream: true });
    // The comment that opens a stream is no token; leaving the loop cancels the rest.
    if (text.includes('data: {')) return performance.now() - startedMs;
  }
  throw new Error(`no token in ${text}`);
}

/**
 * Longest stall of the event loop of a server that runs with `event-loop-probe.ts`, in milliseconds, while `work` is done.
 */
export async function longestStall(server: ServerProcess, work: () => Promise<unknown>): Promise<number> {
  await readProbe(server);
  await work();
  return readProbe(server);
}

async function readProbe(server: ServerProcess): Promise<number> {
  const past = server.output().length;
  server.send('SIGUSR2');
  for (let i = 0; i < 200; i++) {
    const found = /probe: longest stall ([\d.]+) ms/.exec(server.output().slice(past));
    if (found !== null) return Number(found[1]);
    await sleep(10);
  }
  throw new Error('the server has no probe of its event loop');
}

/** `count` streams are left at a random moment within `withinMs`, every second one is no stream at all. */
export async function disconnectAtRandom(url: string, count: number, withinMs: number): Promise<void> {
  const random = new RandomStream(50);
  const leave = async (index: number): Promise<void> => {
    const connection = new AbortController();
    const body = { prompt: 'Once', max_tokens: 400, ignore_eos: true, seed: index, stream: index % 2 === 0 };
    const answer = post(url, '/v1/completions', body, connection.signal).then((response) => response.text());
    const left = answer.then(
      () => 'answered',
      () => 'left',
    );
    await sleep(random.next() * withinMs);
    connection.abort();
    await left;
  };
  await Promise.all(Array.from({ length: count }, (_, index) => leave(index)));
}

/**
 * Sends `count` requests of all kinds, `atOnce` in flight, and leaves one in five at a random moment. The same seed sends
 * the same requests.
 */
export async function sendMixed(
  url: string,
  { count, atOnce, seed = 1 }: { readonly count: number; readonly atOnce: number; readonly seed?: number },
): Promise<LoadReport> {
  const random = new RandomStream(seed);
  const outcomes = { answered: 0, refused: 0, cancelled: 0, failed: 0 };
  const failures: string[] = [];
  let sent = 0;
  const work = async (): Promise<void> => {
    while (sent < count) {
      const index = sent++;
      const request = makeRequest(random, index);
      const cancelMs = random.next() < 0.2 ? random.next() * 300 : undefined;
      const result = await sendOne(url, request, cancelMs);
      outcomes[result.outcome]++;
      if (result.outcome === 'failed' && failures.length < 5) {
        failures.push(`${request.path} ${JSON.stringify(request.body)}: ${result.detail}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { outcomes, failures };
}

interface MixedRequest {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const schema = {
  type: 'object',
  properties: { hero: { type: 'string', maxLength: 12 }, animal: { enum: ['cat', 'dog'] } },
  required: ['hero', 'animal'],
};

function makeRequest(random: RandomStream, index: number): MixedRequest {
  const messages = [{ role: 'user', content: `Tell me story ${index}` }];
  const options = {
    seed: index,
    max_tokens: 1 + random.nextInt(48),
    stream: random.next() < 0.6,
    temperature: [0, 0.7, 1][random.nextInt(3)],
    speculative: [{}, { enabled: false }, { draft_tokens: 4 }][random.nextInt(3)],
  };
  const kinds: (() => MixedRequest)[] = [
    () => ({ path: '/v1/completions', body: { ...options, prompt: `Once upon a time ${index}` } }),
    () => ({ path: '/v1/completions', body: { ...options, prompt: ['A cat', 'A dog'], n: 2, stop: ['.'] } }),
    () => ({
      path: '/v1/completions',
      body: { ...options, prompt: 'He ran. '.repeat(30), echo: true, logprobs: 3 },
    }),
    () => ({ path: '/v1/chat/completions', body: { ...options, messages } }),
    () => ({ path: '/v1/chat/completions', body: { ...options, messages, logprobs: true, top_logprobs: 2 } }),
    () => ({
      path: '/v1/chat/completions',
      body: {
        ...options,
        messages,
        response_format: { type: 'json_schema', json_schema: { name: 's', schema } },
      },
    }),
    () => {
      const { max_tokens, ...rest } = options;
      return { path: '/v1/responses', body: { ...rest, input: 'Hello', max_output_tokens: max_tokens } };
    },
    () => ({ path: '/tokenize', body: { prompt: 'The big dog ran. '.repeat(random.nextInt(100)) } }),
  ];
  return kinds[random.nextInt(kinds.length)]!();
}

interface Result {
  readonly outcome: Outcome;
  readonly detail?: string;
}

async function sendOne(
  url: string,
  { path, body }: MixedRequest,
  cancelMs: number | undefined,
): Promise<Result> {
  const connection = new AbortController();
  const timer = cancelMs === undefined ? undefined : setTimeout(() => connection.abort(), cancelMs);
  try {
    const response = await post(url, path, body, connection.signal);
    return judge(response, await response.text(), body.stream === true);
  } catch (error) {
    return connection.signal.aborted
      ? { outcome: 'cancelled' }
      : { outcome: 'failed', detail: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** A whole answer, a polite refusal, or neither. */
function judge({ status }: Response, text: string, isStream: boolean): Result {
  if (status === 429) return { outcome: 'refused' };
  const detail = `${status} ${text.slice(-300)}`;
  if (status !== 200) return { outcome: 'failed', detail };
  if (!isStream)
    return typeof JSON.parse(text) === 'object' ? { outcome: 'answered' } : { outcome: 'failed', detail };
  const events = parseEvents(text);
  const last = events.at(-1);
  const isWhole = last?.data === '[DONE]' || /^response\.(completed|incomplete)$/.test(last?.event ?? '');
  return isWhole ? { outcome: 'answered' } : { outcome: 'failed', detail };
}

function post(url: string, path: string, body: object, signal?: AbortSignal): Promise<Response> {
  const init: RequestInit = { method: 'POST', body: JSON.stringify(body) };
  return fetch(`${url}${path}`, signal === undefined ? init : { ...init, signal });
}
