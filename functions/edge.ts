/**
 * A gateway for edge isolates (Cloudflare's workerd and the like): checks keys, forwards to one of several servers,
 * streams through. As a module worker it reads its settings from the
 * bindings (in workerd with the flag `enable_request_signal`); elsewhere `createEdge` takes them:
 * `Deno.serve(createEdge({ INSTANCES: 'https://one.example,https://two.example', API_KEY: '...' }))`.
 */
import { createGateway } from '../src/server/gateway/app.ts';

/** Settings, as text. */
export interface EdgeEnvironment {
  /** Base URLs of the servers, separated by commas. */
  readonly INSTANCES?: string;
  /** Keys, separated by commas, of which requests must bear one. */
  readonly API_KEY?: string;
  /** Key of the servers, lent to bearers of an `API_KEY`, which it needs; without it they get the client's own. */
  readonly INSTANCE_KEY?: string;
  /** Origins whose pages may call, separated by commas. */
  readonly CORS_ORIGINS?: string;
  /** How long a server may take until its first byte before another one is asked. */
  readonly FIRST_BYTE_TIMEOUT_MS?: string;
}

/** Makes the gateway. `log` gets one line of JSON per request. Errors: TypeError that names a setting. */
export function createEdge(
  environment: EdgeEnvironment,
  log: (line: string) => void = console.log,
): (request: Request) => Promise<Response> {
  const app = createGateway({
    instances: readInstances(environment.INSTANCES),
    apiKeys: readList(environment.API_KEY),
    instanceKey: environment.INSTANCE_KEY || undefined,
    corsOrigins: readList(environment.CORS_ORIGINS),
    firstByteTimeoutMs: readMs(environment.FIRST_BYTE_TIMEOUT_MS || '240000'),
    log,
  });
  return async (request) => app.fetch(request);
}

function readList(text = ''): string[] {
  const items = text.split(',').map((item) => item.trim());
  return items.filter((item) => item !== '');
}

function readInstances(text: string | undefined): string[] {
  const instances = readList(text).map((item) => item.replace(/\/+(v1\/*)?$/, ''));
  const isUrl = (item: string): boolean => /^https?:\/\/./.test(item) && URL.canParse(item);
  if (instances.length > 0 && instances.every(isUrl)) return instances;
  throw new TypeError(`Cannot use INSTANCES: found ${JSON.stringify(text)}, needs URLs separated by commas.`);
}

function readMs(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new TypeError(
    `Cannot use FIRST_BYTE_TIMEOUT_MS: found ${JSON.stringify(text)}, needs a whole number.`,
  );
}

/** The module worker. */
const worker: { fetch(request: Request, environment: EdgeEnvironment): Promise<Response> } = {
  fetch: async (request, environment) => createEdge(environment)(request),
};
export default worker;
