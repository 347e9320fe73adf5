import { describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { createDeferred } from '../../src/lib/deferred.ts';
import { SdfpError } from '../../src/lib/errors.ts';
import { createAdmission } from '../../src/server/admission.ts';
import { toApiError } from '../../src/server/errors.ts';
import { merge } from '../../src/server/generation/merge.ts';
import { deriveSeed, foldSeed } from '../../src/server/generation/seeds.ts';
import { loadListen } from '../../src/server/listen/index.ts';
import { createCounter, createHistogram, renderMetrics } from '../../src/server/metrics/registry.ts';
import { closePorts, openPort } from '../../src/server/ports.ts';
import { openScope } from '../../src/server/scope.ts';

describe('createAdmission()', () => {
  test('gives each place back once, and tells when all are free', async () => {
    const admission = createAdmission(2);
    const releases = [admission.enter(), admission.enter()];
    expect(() => admission.enter()).toThrow('all 2 places');
    let isIdle = false;
    const idle = admission.whenIdle().then(() => {
      isIdle = true;
    });
    releases[0]!();
    releases[0]!();
    const third = admission.enter();
    expect(() => admission.enter()).toThrow(SdfpError);
    releases[1]!();
    await Promise.resolve();
    expect(isIdle).toBe(false);
    third();
    await idle;
    await admission.whenIdle();
  });
});

describe('openScope()', () => {
  test('aborts all its signals when the client leaves, and closes once', () => {
    const client = new AbortController();
    const scope = openScope(client.signal, 1000);
    let closed = 0;
    scope.onClose(() => closed++);
    const fork = scope.fork();
    client.abort();
    scope.close();
    expect([scope.signal.aborted, fork.aborted, scope.fork().aborted]).toEqual([true, true, true]);
    expect(closed).toBe(1);
    expect(scope.isTimedOut).toBe(false);
  });

  test('a client that leaves after the answer aborts nothing', () => {
    const client = new AbortController();
    const scope = openScope(client.signal, 1000);
    scope.close();
    client.abort();
    expect(scope.signal.aborted).toBe(false);
  });

  test('stays open until work that outlasts it is over', async () => {
    const client = new AbortController();
    const scope = openScope(client.signal, 1000);
    const work = createDeferred<number>();
    let closed = 0;
    scope.onClose(() => closed++);
    expect(await scope.outlast(Promise.resolve(7))).toBe(7);
    const result = scope.outlast(work.promise);
    client.abort();
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
    expect(closed).toBe(0);
    work.reject(new Error('too late to tell'));
    await Bun.sleep(0);
    expect(closed).toBe(1);
    scope.onClose(() => closed++);
    expect(closed).toBe(2);
    await expect(scope.outlast(Promise.resolve(7))).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('times out', async () => {
    const scope = openScope(new AbortController().signal, 5);
    await Bun.sleep(20);
    expect(scope.isTimedOut).toBe(true);
    expect(scope.signal.reason).toMatchObject({ code: 'timed_out' });
  });
});

describe('merge()', () => {
  async function* count(name: string, to: number): AsyncGenerator<string> {
    for (let i = 0; i < to; i++) yield `${name}${i}`;
  }

  test('keeps the order of each and starves none', async () => {
    const items: string[] = [];
    for await (const item of merge([count('a', 50), count('b', 3)])) items.push(item);
    expect(items.filter((item) => item.startsWith('b'))).toEqual(['b0', 'b1', 'b2']);
    expect(items.indexOf('b2')).toBeLessThan(10);
    expect(items).toHaveLength(53);
  });

  test('fails with the first failure', async () => {
    async function* fail(): AsyncGenerator<string> {
      yield 'x';
      throw new Error('broken');
    }
    const all = Array.fromAsync(merge([fail(), count('a', 1000)]));
    await expect(all).rejects.toThrow('broken');
  });
});

describe('seeds', () => {
  test('small ones stay, large and negative ones fold to 32 bits without colliding', () => {
    expect(foldSeed(42)).toBe(42);
    const seeds = [-1, -2, 2 ** 32, 2 ** 32 + 1, 2 ** 53, -(2 ** 63), 2 ** 64].map(foldSeed);
    for (const seed of seeds) expect(seed >>> 0).toBe(seed);
    expect(new Set(seeds.slice(0, 4)).size).toBe(4);
  });

  test('derived ones differ', () => {
    const seeds = [0, 1, 2].flatMap((seed) =>
      Array.from({ length: 100 }, (_, choice) => deriveSeed(seed, choice)),
    );
    expect(new Set(seeds).size).toBe(300);
  });
});

describe('metrics', () => {
  test('buckets are cumulative, labels quoted', () => {
    const histogram = createHistogram('h', 'help', [1, 2]);
    histogram.observe(0.5);
    histogram.observe(2, 3);
    histogram.observe(9);
    const counter = createCounter('c', 'help', 'name');
    counter.add(1, 'a"\n\\');
    expect(renderMetrics([histogram, counter])).toBe(
      [
        '# HELP h help',
        '# TYPE h histogram',
        'h_bucket{le="1"} 1',
        'h_bucket{le="2"} 4',
        'h_bucket{le="+Inf"} 5',
        'h_sum 15.5',
        'h_count 5',
        '# HELP c help',
        '# TYPE c counter',
        'c{name="a\\"\\n\\\\"} 1',
        '',
      ].join('\n'),
    );
  });
});

describe('toApiError()', () => {
  test('keeps what a cause says from the caller', () => {
    const crash = new SdfpError('engine_closed', 'ended (cannot read /srv/x)', { cause: new Error('x') });
    const { status, body } = toApiError(crash);
    expect(status).toBe(503);
    expect(body.message).not.toContain('/srv');
    expect(toApiError('text').status).toBe(500);
  });
});

describe('ports', () => {
  test('failures name the setting, in the words of every runtime', async () => {
    const options = { fetch: () => new Response(), host: 'h', port: 1 };
    for (const error of [Object.assign(new Error(), { code: 'EADDRINUSE' }), { name: 'AddrInUse' }]) {
      const listen = () => Promise.reject(error);
      await expect(openPort(listen, 'PORT', options)).rejects.toThrow(
        /port 1 of h: it is in use; set PORT to a free port/,
      );
    }
  });

  test.each([
    [{ code: 'EADDRNOTAVAIL' }, 'does not have that address; set HOST'],
    [{ name: 'AddrNotAvailable' }, 'does not have that address; set HOST'],
    [{ code: 'ENOTFOUND' }, 'no such address; set HOST'],
    ['failed to lookup address information', 'no such address; set HOST'],
    [{ code: 'EACCES' }, 'may not open it; set PORT_HEALTH'],
    ['odd', 'odd; set PORT_HEALTH'],
  ])('%p is explained', async (error, words) => {
    const options = { fetch: () => new Response(), host: 'h', port: 1 };
    const cause = typeof error === 'string' ? new Error(error) : error;
    const opening = openPort(() => Promise.reject(cause), 'PORT_HEALTH', options);
    await expect(opening).rejects.toThrow(words);
    await expect(opening).rejects.toMatchObject({ param: /set (\w+)/.exec(words)![1] });
  });

  test('an address of another machine is refused by its setting in this runtime', async () => {
    const options = { fetch: () => new Response(), host: '192.0.2.1', port: 0 };
    await expect(openPort(await loadListen(), 'PORT', options)).rejects.toMatchObject({ param: 'HOST' });
  });

  test('closePorts() breaks connections only where stopping takes too long', async () => {
    const killed: string[] = [];
    const listener = (name: string, stop: Promise<void>) => ({
      port: 1,
      stop: () => stop,
      kill: () => void killed.push(name),
    });
    await closePorts([listener('quick', Promise.resolve()), listener('slow', new Promise(() => {}))], 10);
    expect(killed).toEqual(['slow']);
  });
});

describe('src/server', () => {
  test('the app bundles for edge isolates: nothing of node or onnxruntime in it', async () => {
    const entrypoints = [fileURLToPath(new URL('../../src/server/index.ts', import.meta.url))];
    const { success, outputs } = await Bun.build({ entrypoints, target: 'browser' });
    expect(success).toBe(true);
    const code = await outputs[0]!.text();
    expect(code).not.toMatch(/onnxruntime|["']node:/);
  });
});
