import { createGateway, type GatewayOptions } from '../../../src/server/gateway/app.ts';

/** What an instance was asked. */
export interface Asked {
  readonly url: URL;
  readonly headers: Headers;
}

export interface GatewayHarness {
  /** In order. */
  readonly asked: Asked[];
  /** Lines of the log, parsed. */
  readonly log: Record<string, unknown>[];
  request(path: string, init?: RequestInit): Promise<Response>;
}

/** A gateway before instances that `answer` plays; no port is opened. */
export function createGatewayHarness(
  answer: (asked: Asked, signal: AbortSignal) => Response | Promise<Response>,
  options: Partial<Omit<GatewayOptions, 'fetch' | 'log'>> = {},
): GatewayHarness {
  const asked: Asked[] = [];
  const log: Record<string, unknown>[] = [];
  const app = createGateway({
    instances: ['http://a.internal:3000', 'http://b.internal:3000', 'http://c.internal:3000'],
    ...options,
    log: (line) => log.push(JSON.parse(line)),
    async fetch(url, { headers, signal }) {
      const one = { url: new URL(url), headers: new Headers(headers) };
      asked.push(one);
      return answer(one, signal ?? new AbortController().signal);
    },
  });
  return { asked, log, request: async (path, init) => app.request(path, init) };
}
