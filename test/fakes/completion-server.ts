import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PlanFacts } from '../../src/api/index.ts';
import type { PlaygroundFile } from '../../src/playground/index.ts';

/** What the fake does next; tests change it between requests. */
export interface FakeBehaviour {
  isLoading: boolean;
  chunkDelayMs: number;
  /** Sends an error event in place of this chunk (0-based). */
  failAtChunk: number;
  /** Cuts the connection in place of this chunk (0-based). */
  breakAtChunk: number;
  apiKey: string | undefined;
  /** What `/plan` answers. */
  plan: object;
}

/** A request as the fake saw it. */
export interface SeenRequest {
  readonly path: string;
  readonly body: { readonly [field: string]: unknown };
  /** Whether the client went away before the end. */
  isAborted: boolean;
}

/** A server that speaks the streaming part of the HTTP contract with a scripted text, for the client and the page. */
export interface FakeCompletionServer {
  readonly baseUrl: string;
  readonly behaviour: FakeBehaviour;
  readonly requests: SeenRequest[];
  close(): Promise<void>;
}

/** One chunk: a text and the origin of its tokens. `é🙂` spans chunks of bytes on purpose (see `writeBytewise`). */
export const SCRIPT: readonly { text: string; ids: number[]; origin: 'draft' | 'target' }[] = [
  { text: ', there', ids: [11, 12], origin: 'draft' },
  { text: ' was', ids: [13], origin: 'target' },
  { text: ' a little', ids: [14, 15], origin: 'draft' },
  { text: ' café 🙂', ids: [16, 17], origin: 'target' },
  { text: ' where <b>Lily</b>', ids: [18, 19, 20], origin: 'draft' },
  { text: ' liked', ids: [21], origin: 'target' },
  { text: ' to read.\n', ids: [22, 23, 24], origin: 'draft' },
  { text: 'The end.', ids: [25], origin: 'target' },
];
export const SCRIPT_TEXT: string = SCRIPT.map((chunk) => chunk.text).join('');

/** A plan of two layers whose draft has a unit of every state. */
export const FAKE_PLAN_FACTS: PlanFacts = {
  method: 'fit',
  units: [
    { name: '0.attn', score: 10 },
    { name: '0.mlp', score: 2 },
    { name: '1.attn', score: 0.1 },
    { name: '1.mlp', score: 1 },
  ],
  target_precision: 'stored',
  vocab_size: 4096,
  draft: 'int4-drop-1',
  dropped: ['1.attn'],
  int8: ['0.mlp'],
  int4: ['1.mlp'],
  head: 'int8',
  draft_vocab_size: 4096,
  kept_share: 0.6,
  acceptance_rate: 0.71,
};

export const FAKE_PLAN: object = {
  model: 'fake-stories',
  has_draft: true,
  has_chat_template: false,
  inspect: FAKE_PLAN_FACTS,
};

const ERRORS = {
  loading: { message: 'The model is loading.', type: 'server_error', param: null, code: 'model_loading' },
  key: {
    message: 'The key is not valid.',
    type: 'invalid_request_error',
    param: null,
    code: 'invalid_api_key',
  },
  failed: { message: 'The engine stopped.', type: 'server_error', param: null, code: 'runtime_failed' },
};

/** Starts the fake on a free port of the loopback address; it also serves `pages`. */
export async function startFakeCompletionServer(
  pages: ReadonlyMap<string, PlaygroundFile> = new Map(),
  securityPolicy = '',
): Promise<FakeCompletionServer> {
  const behaviour: FakeBehaviour = {
    isLoading: false,
    chunkDelayMs: 0,
    failAtChunk: -1,
    breakAtChunk: -1,
    apiKey: undefined,
    plan: FAKE_PLAN,
  };
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const page = pages.get(request.url ?? '');
    if (page) {
      response.writeHead(200, {
        'content-type': page.contentType,
        'content-security-policy': securityPolicy,
      });
      response.end(page.body);
    } else if (request.url === '/health') answerHealth(response, behaviour);
    else if (request.url === '/plan') answerPlan(request, response, behaviour);
    else answerCompletion(request, response, behaviour, requests);
  });
  const port = await listen(server);
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    behaviour,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string')
        reject(new Error(`Listening: no port in ${address}.`));
      else resolve(address.port);
    });
  });
}

function answerHealth(response: ServerResponse, { isLoading }: FakeBehaviour): void {
  response.writeHead(isLoading ? 503 : 200, { 'content-type': 'application/json' });
  const state = isLoading ? 'loading' : 'ready';
  response.end(JSON.stringify({ state, model: 'fake-stories', provider: 'cpu' }));
}

function lacksKey({ headers }: IncomingMessage, { apiKey }: FakeBehaviour): boolean {
  return apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`;
}

function answerPlan(request: IncomingMessage, response: ServerResponse, behaviour: FakeBehaviour): void {
  if (lacksKey(request, behaviour)) refuse(response, 401, ERRORS.key);
  else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(behaviour.plan));
  }
}

async function answerCompletion(
  request: IncomingMessage,
  response: ServerResponse,
  behaviour: FakeBehaviour,
  requests: SeenRequest[],
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const path = request.url ?? '';
  const seen: SeenRequest = {
    path,
    body: JSON.parse(Buffer.concat(parts).toString() || '{}'),
    isAborted: false,
  };
  requests.push(seen);
  response.on('close', () => {
    seen.isAborted = !response.writableFinished;
  });
  if (lacksKey(request, behaviour)) refuse(response, 401, ERRORS.key);
  else if (behaviour.isLoading) refuse(response, 503, ERRORS.loading);
  else await stream(response, seen, behaviour);
}

function refuse(response: ServerResponse, status: number, error: object): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-request-id': 'fake-1',
    'retry-after': '0',
  });
  response.end(JSON.stringify({ error }));
}

async function stream(
  response: ServerResponse,
  { path, body }: SeenRequest,
  behaviour: FakeBehaviour,
): Promise<void> {
  const isPlain = Object(body.speculative).enabled === false;
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'fake-1' });
  response.write(': waiting\n\n');
  const isChat = path.includes('chat');
  for (const [index, { text, ids, origin }] of SCRIPT.entries()) {
    await new Promise((resolve) => setTimeout(resolve, behaviour.chunkDelayMs));
    if (response.destroyed) return;
    if (index === behaviour.breakAtChunk) return void response.destroy();
    if (index === behaviour.failAtChunk) {
      response.end(`event: error\ndata: ${JSON.stringify({ error: ERRORS.failed })}\n\n`);
      return;
    }
    const finish_reason = index === SCRIPT.length - 1 ? 'stop' : null;
    const tokens = { token_ids: ids, token_origins: ids.map(() => (isPlain ? 'target' : origin)) };
    const choice = {
      index: 0,
      ...(isChat ? { delta: { content: text } } : { text }),
      finish_reason,
      ...tokens,
    };
    await writeBytewise(response, `data: ${JSON.stringify({ id: 'fake', choices: [choice] })}\n\n`);
  }
  response.end(`data: ${JSON.stringify(finalChunk(isPlain))}\n\ndata: [DONE]\n\n`);
}

/** Splits between the bytes of a character where there is one of several bytes. */
async function writeBytewise(response: ServerResponse, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const split = bytes.findIndex((byte) => byte >= 0xc0) + 1;
  if (split > 0) {
    response.write(bytes.subarray(0, split));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  response.write(bytes.subarray(split));
}

function finalChunk(isPlain: boolean): object {
  const completion_tokens = SCRIPT.flatMap(({ ids }) => ids).length;
  const guessed = SCRIPT.filter(({ origin }) => origin === 'draft').flatMap(({ ids }) => ids).length;
  const [accepted, rejected] = isPlain ? [0, 0] : [guessed, 2];
  const details = { accepted_prediction_tokens: accepted, rejected_prediction_tokens: rejected };
  return {
    id: 'fake',
    choices: [],
    usage: {
      prompt_tokens: 4,
      completion_tokens,
      total_tokens: 4 + completion_tokens,
      completion_tokens_details: details,
    },
    metrics: {
      speculative_decoding: {
        mean_acceptance_length: 1 + accepted / 4,
        draft_acceptance_rate: isPlain ? 0 : accepted / (accepted + rejected),
        num_spec_steps: isPlain ? 0 : 4,
        num_draft_tokens: accepted + rejected,
        num_accepted_draft_tokens: accepted,
      },
    },
  };
}
