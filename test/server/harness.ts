import type { ErrorBody, Metrics, ToolCallDelta, Usage } from '../../src/api/index.ts';
import {
  type AppOptions,
  createApp,
  createModelHost,
  type ModelHostControl,
  type ServedModel,
} from '../../src/server/index.ts';
import { createByteCodec, END_ID } from '../fakes/byte-codec.ts';
import {
  createScriptedEngine,
  type ScriptedEngine,
  type ScriptedEngineOptions,
} from '../fakes/scripted-engine.ts';

export interface Harness {
  readonly engine: ScriptedEngine;
  readonly host: ModelHostControl;
  readonly log: string[];
  /** Ends the state `loading`. */
  load(): void;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  request(path: string, init?: RequestInit): Promise<Response>;
}

export interface HarnessOptions extends Partial<Omit<AppOptions, 'host' | 'log'>> {
  readonly engine?: ScriptedEngineOptions;
  readonly defaults?: Partial<Record<'temperature' | 'topP' | 'topK' | 'repetitionPenalty', number>>;
  readonly isLoading?: boolean;
  /** Another model than the scripted one. */
  readonly served?: Partial<ServedModel>;
}

/** An app around a scripted engine; no port is opened. */
export function createHarness({
  engine: script,
  defaults,
  isLoading,
  served,
  ...options
}: HarnessOptions = {}): Harness {
  const engine = createScriptedEngine(script);
  const host = createModelHost();
  const log: string[] = [];
  const app = createApp({ host, log: (line) => log.push(line), ...options });
  const load = (): void =>
    host.ready({
      id: 'org/bytes',
      engine,
      text: createByteCodec(),
      createdSeconds: 1_700_000_000,
      defaults: {
        bosTokenId: undefined,
        eosTokenIds: [END_ID],
        temperature: defaults?.temperature,
        topP: defaults?.topP,
        topK: defaults?.topK,
        repetitionPenalty: defaults?.repetitionPenalty,
      },
      inspect: { dropped: ['0.attn'] },
      ...served,
    });
  if (!isLoading) load();
  const request = async (path: string, init?: RequestInit): Promise<Response> => app.request(path, init);
  return {
    engine,
    host,
    load,
    log,
    request,
    get: (path, headers = {}) => request(path, { headers }),
    post: (path, body, init = {}) =>
      request(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
      }),
  };
}

/** What tests look at in chunks of either family. */
export interface AnyChunk {
  readonly object?: string;
  readonly choices: readonly {
    readonly index: number;
    readonly text?: string;
    readonly delta?: {
      readonly role?: string;
      readonly content?: string | null;
      readonly tool_calls?: readonly ToolCallDelta[];
    };
    readonly finish_reason: string | null;
    readonly token_ids?: number[];
    readonly token_origins?: string[];
  }[];
  readonly usage?: Usage | null;
  readonly metrics?: Metrics;
  readonly error?: ErrorBody;
}

/** Events of a stream's text: comments left out, data parsed unless it is `[DONE]`. */
export function parseEvents(text: string): { event: string | undefined; data: AnyChunk | '[DONE]' }[] {
  const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
  return blocks.map((block) => {
    const event = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1] ?? '';
    return { event, data: data === '[DONE]' ? data : JSON.parse(data) };
  });
}

/** The chunks of a stream that ended with `[DONE]`. */
export async function readChunks(response: Response): Promise<AnyChunk[]> {
  const events = parseEvents(await response.text());
  if (events.at(-1)?.data !== '[DONE]') throw new Error('The stream did not end with [DONE].');
  return events.flatMap(({ data }) => (data === '[DONE]' ? [] : [data]));
}

export function textOf(chunks: readonly AnyChunk[], index = 0): string {
  const choices = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index);
  return choices.map((choice) => choice.text ?? choice.delta?.content ?? '').join('');
}
