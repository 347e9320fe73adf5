import { describe, expect, test } from 'bun:test';
import { createGateway } from '../../../src/server/gateway/app.ts';
import { createApp, createModelHost } from '../../../src/server/index.ts';
import { createGatewayHarness } from './harness.ts';

const KEYS = { apiKeys: ['outer'], instanceKey: 'inner' };
const OUTER = { authorization: 'Bearer outer' };
const ok = (): Response => Response.json({});

describe('createGateway()', () => {
  test.each([[undefined], [[]], [['']], [['one', '']]])(
    'with client keys %j lends no instance key',
    (apiKeys) => {
      const options = { instances: ['http://a'], ...(apiKeys === undefined ? {} : { apiKeys }) };
      const create = (): unknown => createGateway({ ...options, instanceKey: 'inner' });
      expect(create).toThrow(TypeError);
      expect(create).toThrow(/INSTANCE_KEY.*API_KEY/);
    },
  );

  test('without an instance key needs no client keys', async () => {
    const { asked, request } = createGatewayHarness(ok);
    expect((await request('/v1/models', { headers: { authorization: 'Bearer own' } })).status).toBe(200);
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer own');
  });
});

describe('the gateway forwards', () => {
  // What the server adds under /v1 must come through, too.
  const server = createApp({ host: createModelHost() });
  const routes = server.routes.map(({ path }) => path).filter((path) => /^\/v1\/.*[^*]$/.test(path));
  const paths = new Set(routes.map((path) => path.replace(/:id\{.*\}/, 'org/bytes')));

  test.each([...paths, '/tokenize', '/detokenize', '/health'])('%s', async (path) => {
    const { asked, request } = createGatewayHarness(ok, KEYS);
    expect((await request(`${path}?a=b`, { method: 'POST', headers: OUTER, body: '{}' })).status).toBe(200);
    expect(asked.map(({ url }) => url.pathname + url.search)).toEqual([`${path}?a=b`]);
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer inner');
  });

  test.each([
    ['/v1/models/org%2Fbytes', '/v1/models/org/bytes'],
    ['/v1/models/a%20b%3Fc', '/v1/models/a%20b%3Fc'],
    ['/v1/complet%69ons', '/v1/completions'],
  ])('%s as %s', async (path, sent) => {
    const { asked, request } = createGatewayHarness(ok, KEYS);
    expect((await request(path, { headers: OUTER })).status).toBe(200);
    expect(asked.map(({ url }) => url.pathname)).toEqual([sent]);
  });

  test.each([
    '/v1/..%2fmetrics',
    '/v1/%2e%2e%2fmetrics',
    '/v1/%2e%2e/metrics',
    '/v1/models/..%2f..%2fmetrics',
    '/v1/models/%2e%2e%2f%2e%2e%2fplan',
    '/v1/models/..%5c..%5cmetrics',
    '/v1/models/%252e%252e%252f%252e%252e%252fmetrics',
    '/v1/models/a%2f%2fb',
    '/v1/models/',
    '/v1/files',
    '/v1/',
    '/metrics',
    '/plan',
    '/',
  ])('nothing for %s', async (path) => {
    const { asked, request } = createGatewayHarness(ok, KEYS);
    const response = await request(path, { headers: OUTER });
    expect(response.status).toBe(404);
    expect((await response.json()).error.code).toBe('not_found');
    expect(asked).toEqual([]);
  });

  test('the trace, and no header that it does not know', async () => {
    const { asked, request } = createGatewayHarness(ok, KEYS);
    const trace = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'vendor=value',
    };
    await request('/v1/models', { headers: { ...OUTER, ...trace, 'x-sdfp-owner': 'forged', cookie: 'a=b' } });
    const sent = asked[0]!.headers;
    expect({ traceparent: sent.get('traceparent'), tracestate: sent.get('tracestate') }).toEqual(trace);
    expect(sent.get('x-sdfp-owner')).toMatch(/^[0-9a-f]{64}$/);
    expect(sent.has('cookie')).toBe(false);
  });
});
