import { describe, expect, test } from 'bun:test';
import { type Asked, createGatewayHarness } from './harness.ts';

/** As fetch of Node fails: the reason is in the cause. */
function refused(): TypeError {
  return new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
}

const isFrom = ({ url }: Asked, letter: string): boolean => url.hostname === `${letter}.internal`;

describe('forward()', () => {
  test('logs why each instance failed, and tells the client no host', async () => {
    const { log, request } = createGatewayHarness(
      (asked, signal) => {
        if (isFrom(asked, 'a')) throw refused();
        if (isFrom(asked, 'b')) return new Response('', { headers: { 'content-type': 'text/event-stream' } });
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
      { firstByteTimeoutMs: 20 },
    );
    const response = await request('/v1/completions', { method: 'POST', body: '{}' });
    expect(response.status).toBe(502);
    expect(response.headers.get('retry-after')).toBe('1');
    const text = await response.text();
    expect(text).not.toMatch(/internal|ECONNREFUSED|3000/);
    expect(JSON.parse(text).error).toMatchObject({ type: 'server_error', code: 'no_instance', param: null });
    expect(log).toHaveLength(1);
    expect(log[0]?.status).toBe(502);
    expect(log[0]?.error).toContain('http://a.internal:3000: fetch failed: connect ECONNREFUSED');
    expect(log[0]?.error).toContain('http://b.internal:3000: the stream ended before its first byte');
    expect(log[0]?.error).toContain('http://c.internal:3000: no first byte within 20 ms');
  });

  test.each([200, 503])('logs the failures before an answer with %i, too', async (status) => {
    const { log, request } = createGatewayHarness((asked) => {
      if (isFrom(asked, 'b')) return new Response('{}', { status });
      throw new AggregateError([refused()]);
    });
    for (let i = 0; i < 12; i++) {
      const response = await request('/v1/models', { headers: { 'x-request-id': `try-${i}` } });
      expect(response.status).toBe(status);
    }
    const errors = log.map(({ error }) => error).filter((error) => error !== undefined);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toMatch(/^http:..[ac].internal:3000: fetch failed: connect/);
  });

  test('logs no query', async () => {
    const { log, request } = createGatewayHarness(({ url }) => {
      throw new TypeError(`error sending request for url (${url.href})`);
    });
    expect((await request('/v1/models?text=private')).status).toBe(502);
    expect(String(log[0]?.error)).toContain('a.internal:3000: error sending request for url (http://a.');
    expect(JSON.stringify(log)).not.toContain('private');
  });

  test('a client that leaves is no failure of an instance', async () => {
    const client = new AbortController();
    const { asked, log, request } = createGatewayHarness(() => {
      client.abort();
      throw client.signal.reason;
    });
    await request('/v1/models', { signal: client.signal });
    expect(asked).toHaveLength(1);
    expect(log[0]?.status).toBe(499);
    expect(String(log[0]?.error)).not.toContain('internal');
  });

  test('a mistake of its own is not taken for a dead instance', async () => {
    const { asked, log, request } = createGatewayHarness(() => Response.json({}), {
      instances: ['a.internal'],
    });
    const response = await request('/v1/models');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('a.internal');
    expect(asked).toEqual([]);
    expect(String(log[0]?.error)).toContain('TypeError');
  });

  test('the load of a dead instance spreads over all others', async () => {
    const instances = [
      'http://10.0.0.1:80',
      'http://10.0.0.2:80',
      'http://10.0.0.3:80',
      'http://10.0.0.4:80',
    ];
    const answered = new Map<string, number>();
    let dead = 0;
    const { request } = createGatewayHarness(
      ({ url }) => {
        if (url.hostname === '10.0.0.2') {
          dead++;
          throw refused();
        }
        answered.set(url.hostname, (answered.get(url.hostname) ?? 0) + 1);
        return Response.json({});
      },
      { instances },
    );
    for (let i = 0; i < 1200; i++)
      await request('/v1/models', { headers: { 'x-request-id': `request-${i}` } });
    // 300 come to the dead one first; 100 of those to each other. Four standard deviations: 60 and 65.
    expect(Math.abs(dead - 300)).toBeLessThan(60);
    expect(answered.size).toBe(3);
    for (const count of answered.values()) expect(Math.abs(count - 400)).toBeLessThan(65);
  });
});
