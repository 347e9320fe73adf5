import { describe, expect, test } from 'bun:test';
import { completeSettings, explainSettings, listSettings, readSettings } from '../../src/server/settings.ts';

describe('readSettings()', () => {
  test('has defaults', () => {
    expect(readSettings({ environment: {} })).toMatchObject({
      host: '0.0.0.0',
      port: 3000,
      portHealth: undefined,
      apiKeys: [],
      corsOrigins: [],
      maxConcurrency: 16,
      maxQueue: 128,
      maxBodyBytes: 2_097_152,
      requestTimeoutMs: 240_000,
      sseKeepaliveMs: 10_000,
      shutdownGraceMs: 8_000,
      threads: undefined,
    });
    expect(readSettings({ environment: {} }).artifact).toEndWith('/artifacts/stories');
  });

  test('flags go before the environment, empty values count as unset', () => {
    const environment = { PORT: '1', HOST: '', API_KEY: ' a, b ,', MAX_QUEUE: '0' };
    const settings = readSettings({ environment, flags: { port: '2', 'max-queue': undefined } });
    expect(settings).toMatchObject({ port: 2, host: '0.0.0.0', apiKeys: ['a', 'b'], maxQueue: 0 });
  });

  test.each([
    ['PORT', 'abc'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '1e3'],
    ['PORT_HEALTH', '0'],
    ['MAX_CONCURRENCY', '0'],
    ['REQUEST_TIMEOUT_MS', '99999999999'],
    ['SDFP_THREADS', '0'],
  ])('%s=%s is refused by its name', (name, value) => {
    expect(() => readSettings({ environment: { [name]: value } })).toThrow(
      `Cannot use ${name}: found "${value}"`,
    );
  });

  test('a flag is refused by its own name', () => {
    expect(() => readSettings({ environment: {}, flags: { port: 'x' } })).toThrow('Cannot use --port');
  });

  test('an unknown variable with our prefix is refused', () => {
    expect(() => readSettings({ environment: { SDFP_PORT: '1' } })).toThrow('SDFP_PORT');
  });
});

describe('explainSettings()', () => {
  test('says where each value comes from, and no key', () => {
    const source = { environment: { PORT: '1', HOST: '::1', API_KEY: 'secret, two' }, flags: { port: '2' } };
    const rows = explainSettings(source);
    const row = (name: string) => rows.find(({ variable }) => variable === name);
    expect(row('PORT')).toEqual({ variable: 'PORT', value: '2', from: '--port' });
    expect(row('HOST')).toEqual({ variable: 'HOST', value: '::1', from: 'environment' });
    expect(row('MAX_QUEUE')).toEqual({ variable: 'MAX_QUEUE', value: '128', from: 'default' });
    expect(row('API_KEY')?.value).toBe('2 (hidden)');
    expect(rows).toHaveLength(listSettings().length);
    expect(() => explainSettings({ environment: { PORT: 'x' } })).toThrow('PORT');
  });
});

describe('listSettings()', () => {
  test('describes every setting', () => {
    for (const { variable, flag, description } of listSettings()) {
      expect(flag).toBe(
        variable
          .replace(/^SDFP_/, '')
          .toLowerCase()
          .replaceAll('_', '-'),
      );
      expect(description).not.toBe('');
    }
    expect(listSettings().find(({ variable }) => variable === 'PORT')?.fallback).toBe('3000');
  });
});

describe('completeSettings()', () => {
  test('adds the defaults to what is given, whatever its type', () => {
    const given = {
      port: 0,
      portHealth: 9,
      apiKeys: ['a', 'b'],
      corsOrigins: [],
      prefixCacheBytes: 0,
      artifact: 'x',
    };
    const defaults = readSettings({ environment: {} });
    expect(completeSettings(given)).toEqual({ ...defaults, ...given });
    expect(completeSettings({})).toEqual(defaults);
  });

  test.each([
    [{ maxConcurrency: 0 }, '--max-concurrency: found "0"'],
    [{ maxConcurrency: 1.5 }, '--max-concurrency: found "1.5"'],
    [{ maxQueue: -1 }, '--max-queue: found "-1"'],
    [{ port: 70_000 }, '--port: found "70000"'],
    [JSON.parse('{"port": "x"}'), '--port: found "x"'],
    [
      JSON.parse('{"maxConcurency": 2}'),
      'the setting maxConcurency: it is unknown; did you mean maxConcurrency?',
    ],
  ])('%p is refused', (given, message) => {
    expect(() => completeSettings(given)).toThrow(message);
  });
});
