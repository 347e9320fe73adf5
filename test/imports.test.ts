import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Glob } from 'bun';

/** What files of one part may import. `lib` and the own part are always allowed. */
interface Rule {
  /** Parts of which anything may be imported. */
  readonly parts?: readonly string[];
  /** Parts of which only `import type` is allowed. */
  readonly types?: readonly string[];
  /** npm packages. */
  readonly packages?: readonly string[];
}

const BUILD_SIDE = ['hf', 'onnx', 'graph', 'fit', 'plan', 'measure', 'build', 'quant', 'report', 'bake'];
const SERVE_SIDE = [
  'api',
  'artifact',
  'engine',
  'grammar',
  'playground',
  'runtime',
  'server',
  'text',
  'worker',
  'serve',
];

/**
 * Part of the source to what it may import. A part is a folder of `src`, a file directly in `src` without `.ts`, or
 * `functions`. Imports point one way: the artifact is the waist between the build side and the serve side.
 */
const RULES: Readonly<Record<string, Rule>> = {
  lib: {},
  grammar: {},
  hf: { packages: ['valibot'] },
  api: { packages: ['valibot'] },
  onnx: { packages: ['@bufbuild/protobuf'] },
  runtime: { packages: ['onnxruntime-node', '@bufbuild/protobuf'] },
  text: { packages: ['@huggingface/tokenizers', '@huggingface/jinja'] },
  quant: { parts: ['hf'] },
  graph: { parts: ['onnx', 'quant'], types: ['hf', 'plan', 'artifact'] },
  fit: { parts: ['graph', 'runtime', 'hf'], types: ['quant'] },
  plan: { types: ['fit', 'quant'] },
  artifact: { types: ['hf', 'plan', 'quant'], packages: ['valibot'] },
  engine: { parts: ['artifact', 'runtime', 'grammar'] },
  worker: { parts: ['engine'], types: ['grammar'] },
  report: { parts: ['artifact'], packages: ['@observablehq/plot', 'linkedom', 'hono'] },
  measure: { parts: ['engine', 'graph', 'hf', 'plan', 'quant', 'text'], types: ['artifact'] },
  build: {
    parts: [
      'artifact',
      'engine',
      'fit',
      'graph',
      'hf',
      'measure',
      'onnx',
      'plan',
      'quant',
      'report',
      'runtime',
      'text',
      'worker',
    ],
  },
  server: {
    parts: ['api', 'text', 'grammar'],
    types: ['engine', 'artifact'],
    packages: [
      'hono',
      '@hono/node-server',
      'valibot',
      '@valibot/to-json-schema',
      // Optional ones, which server/tracing loads where traces are wanted.
      '@opentelemetry/api',
      '@opentelemetry/core',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace-base',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/exporter-trace-otlp-proto',
    ],
  },
  client: { types: ['api'], packages: ['react'] },
  playground: { parts: ['client'], types: ['api'] },
  bake: { parts: [...BUILD_SIDE, 'artifact', 'engine', 'runtime', 'text', 'worker'] },
  serve: { parts: SERVE_SIDE, packages: ['hono'] },
  schema: { parts: ['api', 'artifact'], packages: ['@valibot/to-json-schema', 'valibot'] },
  index: { parts: [...BUILD_SIDE, ...SERVE_SIDE, 'schema'] },
  cli: { parts: [...BUILD_SIDE, ...SERVE_SIDE, 'client', 'schema'], packages: ['citty', 'valibot', 'tsx'] },
  functions: { parts: ['serve', 'server'] },
};

/** What browsers load, with all that it imports. */
const BROWSER_ENTRIES = ['src/api/index.ts', 'src/client/index.ts', 'src/playground/page.ts'];

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly isType: boolean;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['src/**/*.ts', 'functions/**/*.ts'].flatMap((pattern) => [
  ...new Glob(pattern).scanSync(root),
]);
const imports = files.flatMap(readImports);

/** Reads static, re-exporting and dynamic imports, and the modules named by `new URL('./x.ts', import.meta.url)`. */
function readImports(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = source.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[\w*{][^'"`;=]*?\sfrom\s*)?'([^']+)'/gm,
  );
  const calls = source.matchAll(/\bimport\('([^']+)'\)/g);
  const urls = source.matchAll(/\bnew URL\('(?:\.\/)?([^']+\.m?[jt]s)', import\.meta\.url\)/g);
  return [
    ...[...statements].map((match) => ({ file, specifier: match[2] ?? '', isType: match[1] !== undefined })),
    ...[...calls].map((match) => ({ file, specifier: match[1] ?? '', isType: false })),
    ...[...urls].map((match) => ({ file, specifier: `./${match[1]}`, isType: false })),
  ];
}

/** `src/hf/config.ts` → `hf`, `src/bake.ts` → `bake`, `functions/bun.ts` → `functions`. */
function partOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'functions' ? top : second.replace(/\.ts$/, '');
}

/** Repository path that a relative specifier names, or undefined for packages and `node:` modules. */
function targetOf({ file, specifier }: Import): string | undefined {
  return specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : undefined;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** Why a rule forbids an import, or undefined. */
function findBreach(entry: Import): string | undefined {
  const part = partOf(entry.file);
  const rule = RULES[part];
  if (rule === undefined) return `${entry.file}: part "${part}" is not in the table`;
  const target = targetOf(entry);
  if (target !== undefined) return findPartBreach(entry, rule, part, partOf(target));
  if (entry.specifier.startsWith('node:')) return undefined;
  const isAllowed = rule.packages?.includes(packageOf(entry.specifier)) ?? false;
  return isAllowed ? undefined : `${entry.file}: ${part} may not import the package ${entry.specifier}`;
}

function findPartBreach(entry: Import, rule: Rule, part: string, other: string): string | undefined {
  if (other === part || other === 'lib' || rule.parts?.includes(other)) return undefined;
  if (entry.isType && rule.types?.includes(other)) return undefined;
  const kind = rule.types?.includes(other) ? `only types of ${other}` : `nothing of ${other}`;
  return `${entry.file}: ${part} may import ${kind} (${entry.specifier})`;
}

/** Import edges between files of ours. */
function edgesOf(entries: readonly Import[]): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (const entry of entries) {
    const target = targetOf(entry);
    if (target !== undefined) edges.set(entry.file, [...(edges.get(entry.file) ?? []), target]);
  }
  return edges;
}

/** First cycle found by depth-first search, as a path that ends where it begins. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** All files reachable from the start files. */
function reach(edges: ReadonlyMap<string, readonly string[]>, starts: readonly string[]): Set<string> {
  const seen = new Set(starts);
  for (const file of seen) for (const next of edges.get(file) ?? []) seen.add(next);
  return seen;
}

function countLines(file: string): number {
  return readFileSync(join(root, file), 'utf8').split('\n').length - 1;
}

describe('the import table', () => {
  test('every import is one that the table allows', () => {
    expect(imports.length).toBeGreaterThan(files.length);
    expect(imports.map(findBreach).filter((breach) => breach !== undefined)).toEqual([]);
  });

  test('every relative import names an existing file with its extension', () => {
    const known = new Set([...new Glob('{src,functions}/**/*').scanSync(root), 'package.json']);
    const missing = imports.filter((entry) => !known.has(targetOf(entry) ?? 'package.json'));
    expect(missing).toEqual([]);
  });

  test('the table forbids what it should', () => {
    const breach = (file: string, specifier: string, isType = false) =>
      findBreach({ file, specifier, isType });
    expect(breach('src/engine/loop.ts', '../graph/build.ts')).toContain('nothing of graph');
    expect(breach('src/artifact/open.ts', '../plan/types.ts')).toContain('only types of plan');
    expect(breach('src/artifact/open.ts', '../plan/types.ts', true)).toBeUndefined();
    expect(breach('src/engine/loop.ts', 'onnxruntime-node')).toContain('onnxruntime-node');
    expect(breach('src/new-part/a.ts', 'valibot')).toContain('not in the table');
  });

  test('no file is part of an import cycle', () => {
    expect(findCycle(edgesOf(imports))).toBeUndefined();
    expect(findCycle(new Map(Object.entries({ a: ['b'], b: ['c'], c: ['b'] })))).toEqual(['b', 'c', 'b']);
  });

  test('the serve side reaches no file of the build side', () => {
    const parts = new Set([...SERVE_SIDE, 'client', 'functions']);
    const edges = edgesOf(imports.filter((entry) => !entry.isType));
    const reached = reach(
      edges,
      files.filter((file) => parts.has(partOf(file))),
    );
    expect([...reached].filter((file) => BUILD_SIDE.includes(partOf(file)))).toEqual([]);
  });

  test('what browsers load imports nothing but our files and valibot', () => {
    const reached = reach(edgesOf(imports), BROWSER_ENTRIES);
    expect(reached.size).toBeGreaterThan(BROWSER_ENTRIES.length);
    const foreign = imports.filter((entry) => reached.has(entry.file) && targetOf(entry) === undefined);
    expect(foreign.filter(({ specifier }) => specifier !== 'valibot')).toEqual([]);
  });

  test('React is imported by its hook only', () => {
    const users = imports.filter(({ specifier }) => packageOf(specifier) === 'react');
    expect(new Set(users.map(({ file }) => file))).toEqual(new Set(['src/client/react.ts']));
  });

  test('onnxruntime is named by the runtime part only', () => {
    const users = imports.filter((entry) => entry.specifier.startsWith('onnxruntime'));
    expect(users.filter((entry) => partOf(entry.file) !== 'runtime')).toEqual([]);
  });
});

test('no source or test file is longer than 500 lines', () => {
  const tests = [...new Glob('test/**/*.ts').scanSync(root)];
  const long = [...files, ...tests].map((file) => ({ file, lines: countLines(file) }));
  expect(long.filter(({ lines }) => lines > 500)).toEqual([]);
});
