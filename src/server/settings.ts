import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { refuseUnknownVariables } from '../lib/environment.ts';
import { SdfpError } from '../lib/errors.ts';
import { suggestion } from '../lib/nearest.ts';

/** Settings of a server, from flags and environment. Times in milliseconds. */
export interface Settings {
  /** Folder of the artifact that is served. */
  readonly artifact: string;
  readonly host: string;
  readonly port: number;
  /** Undefined: probes come to `port`. */
  readonly portHealth: number | undefined;
  readonly apiKeys: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  readonly maxBodyBytes: number;
  readonly requestTimeoutMs: number;
  readonly sseKeepaliveMs: number;
  readonly shutdownGraceMs: number;
  readonly resumeMs: number;
  readonly prefixCacheBytes: number;
  /** Of the model's session. Undefined: as many as the build found fastest on the same processor, else the default. */
  readonly threads: number | undefined;
}

/** Where settings come from; flags (in kebab-case, without dashes) go before the environment. */
export interface SettingsSource {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags?: Readonly<Record<string, string | undefined>>;
}

/** Largest delay of a timer in JavaScript: 2^31 - 1 ms, 24 days. */
const MAX_MS = 0x7fffffff;

function text(description: string, fallback: string) {
  return v.pipe(v.optional(v.string(), fallback), v.description(description));
}

function list(description: string) {
  return v.pipe(
    v.optional(v.string(), ''),
    v.description(description),
    v.transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    ),
  );
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function digits({ min, max }: Range) {
  const isInRange = (value: string): boolean =>
    /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max;
  return v.pipe(v.string(), v.check(isInRange, `a whole number from ${min} to ${max}`), v.transform(Number));
}

function wholeNumber(description: string, range: Range & { readonly fallback: number }) {
  return v.pipe(v.optional(digits(range), String(range.fallback)), v.description(description));
}

function optionalNumber(description: string, range: Range) {
  return v.pipe(v.optional(digits(range)), v.description(description));
}

/** The story model of a clone; the npm package has none. */
const STORIES = fileURLToPath(new URL('../../artifacts/stories', import.meta.url));

/** By the names in the environment. */
const ENTRIES = {
  ARTIFACT: text('folder of the artifact that is served', STORIES),
  HOST: text('address to listen on', '0.0.0.0'),
  PORT: wholeNumber('port to listen on; 0: any free one', { min: 0, max: 65535, fallback: 3000 }),
  PORT_HEALTH: optionalNumber('second port, for /ping, /live and /health', { min: 1, max: 65535 }),
  API_KEY: list('keys, separated by commas, of which requests must bear one'),
  CORS_ORIGINS: list('origins whose pages may call, separated by commas'),
  MAX_CONCURRENCY: wholeNumber(
    'generations (prompts times n) running at once; one request has at most 3/4 of them',
    { min: 1, max: 1024, fallback: 16 },
  ),
  MAX_QUEUE: wholeNumber('generations waiting beyond these; a request whose own do not all fit is refused', {
    min: 0,
    max: 1e6,
    fallback: 128,
  }),
  MAX_BODY_BYTES: wholeNumber('largest body of a request', { min: 1, max: 2 ** 30, fallback: 2 ** 21 }),
  REQUEST_TIMEOUT_MS: wholeNumber('ceiling of one request', { min: 1, max: MAX_MS, fallback: 240_000 }),
  SSE_KEEPALIVE_MS: wholeNumber('interval of comments in a stream that waits', {
    min: 1,
    max: MAX_MS,
    fallback: 10_000,
  }),
  SHUTDOWN_GRACE_MS: wholeNumber('how long running requests may go on after SIGTERM', {
    min: 0,
    max: MAX_MS,
    fallback: 8_000,
  }),
  SDFP_RESUME_MS: wholeNumber(
    'how long a stream outlives its connection if its client asked for it; 0: never',
    {
      min: 0,
      max: 600_000,
      fallback: 10_000,
    },
  ),
  SDFP_PREFIX_CACHE_BYTES: wholeNumber(
    'most memory for ended sequences, which prompts that begin like them take over; 0: none',
    { min: 0, max: 2 ** 40, fallback: 2 ** 26 },
  ),
  SDFP_THREADS: optionalNumber(
    "threads of the model's session; without it as many as the build found fastest on the same processor, else one per physical core, or per usable core where these are fewer",
    { min: 1, max: 1024 },
  ),
} as const;

/** A setting as help texts show it. */
export interface SettingInfo {
  readonly variable: string;
  /** Without dashes. */
  readonly flag: string;
  readonly description: string;
  readonly fallback: string | undefined;
}

function describeStories(): string {
  return existsSync(STORIES) ? 'the story model of this clone' : 'none, this package has no model';
}

/** Every setting, for `--help` and tables. */
export function listSettings(): readonly SettingInfo[] {
  return Object.entries(ENTRIES).map(([variable, schema]) => ({
    variable,
    flag: toFlag(variable),
    description: v.getDescription(schema) ?? '',
    fallback: variable === 'ARTIFACT' ? describeStories() : v.getDefault(schema.pipe[0]) || undefined,
  }));
}

/** Reads and checks all settings; empty ones count as unset. Errors: SdfpError `invalid_request` naming the variable or flag. */
export function readSettings(source: SettingsSource): Settings {
  refuseUnknownVariables(source.environment);
  const raw = Object.fromEntries(Object.keys(ENTRIES).map((name) => [name, find(source, name)]));
  const result = v.safeParse(v.object(ENTRIES), raw);
  if (!result.success) throw refusal(source, result.issues[0]);
  const values = result.output;
  return {
    artifact: values.ARTIFACT,
    host: values.HOST,
    port: values.PORT,
    portHealth: values.PORT_HEALTH,
    apiKeys: values.API_KEY,
    corsOrigins: values.CORS_ORIGINS,
    maxConcurrency: values.MAX_CONCURRENCY,
    maxQueue: values.MAX_QUEUE,
    maxBodyBytes: values.MAX_BODY_BYTES,
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
    sseKeepaliveMs: values.SSE_KEEPALIVE_MS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
    resumeMs: values.SDFP_RESUME_MS,
    prefixCacheBytes: values.SDFP_PREFIX_CACHE_BYTES,
    threads: values.SDFP_THREADS,
  };
}

/** Settings given by name in code, checked, with the defaults of all others. Errors: as {@linkcode readSettings}. */
export function completeSettings(given: Partial<Settings>): Settings {
  const names = Object.keys(readSettings({ environment: {} }));
  const flags: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!names.includes(name)) throw unknownSetting(name, names);
    if (value !== undefined) flags[name === 'apiKeys' ? 'api-key' : toKebab(name)] = String(value);
  }
  return readSettings({ environment: {}, flags });
}

function unknownSetting(name: string, known: readonly string[]): SdfpError {
  const message = `Cannot use the setting ${name}: it is unknown${suggestion(name, known)} (known: ${known.join(', ')})`;
  return new SdfpError('invalid_request', message, { param: name });
}

function toKebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What a setting is and where that came from, for `--print-config`. */
export interface SettingValue {
  readonly variable: string;
  /** Keys are never shown, only how many there are. */
  readonly value: string;
  readonly from: string;
}

/** Every setting with its value. Errors: as {@linkcode readSettings}. */
export function explainSettings(source: SettingsSource): readonly SettingValue[] {
  readSettings(source);
  return Object.entries(ENTRIES).map(([variable, schema]) => {
    const flag = toFlag(variable);
    const given = find(source, variable);
    const value = given ?? v.getDefault(schema.pipe[0]) ?? '';
    return {
      variable,
      value: variable === 'API_KEY' ? describeKeys(value) : value,
      from: given === undefined ? 'default' : source.flags?.[flag] ? `--${flag}` : 'environment',
    };
  });
}

function describeKeys(list: string): string {
  const count = list.split(',').filter((key) => key.trim() !== '').length;
  return count === 0 ? '' : `${count} (hidden)`;
}

function toFlag(variable: string): string {
  return variable
    .replace(/^SDFP_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}

function find({ environment, flags = {} }: SettingsSource, variable: string): string | undefined {
  return flags[toFlag(variable)] || environment[variable] || undefined;
}

function refusal(source: SettingsSource, issue: v.BaseIssue<unknown>): SdfpError {
  const variable = String(issue.path?.[0]?.key);
  const flag = toFlag(variable);
  const name = source.flags?.[flag] ? `--${flag}` : variable;
  const found = JSON.stringify(find(source, variable));
  return new SdfpError('invalid_request', `Cannot use ${name}: found ${found}, needs ${issue.message}`, {
    param: name,
  });
}
