import { describe, expect, test } from 'bun:test';
import { listSettings, readSettings } from '../../src/server/settings.ts';

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

describe('listSettings()', () => {
  test('describes every setting', () => {
    for (const { variable, flag, description } of listSettings()) {
      expect(flag).toBe(variable.toLowerCase().replaceAll('_', '-'));
      expect(description).not.toBe('');
    }
    expect(listSettings().find(({ variable }) => variable === 'PORT')?.fallback).toBe('3000');
  });
});
