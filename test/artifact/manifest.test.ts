import { describe, expect, test } from 'bun:test';
import * as v from 'valibot';
import { formatManifest, ManifestSchema, manifestToWire } from '../../src/artifact/manifest.ts';
import type { Manifest } from '../../src/artifact/types.ts';
import { manifestJsonSchema, type TargetFacts, type TargetLoss } from '../../src/schema.ts';
import { exampleContent, exampleGraphs } from './example.ts';

const manifest: Manifest = {
  schemaVersion: 1,
  sdfpVersion: '0.1.0',
  files: exampleGraphs(1).map(({ name }) => ({
    name,
    role: 'graph',
    bytes: 3,
    sha256: 'a'.repeat(64),
    checkedFast: true,
  })),
  ...exampleContent,
};

/** The wire form with the value at a dotted path replaced. */
function wireWith(path: string, value: unknown): unknown {
  const wire = structuredClone(manifestToWire(manifest));
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const holder = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, wire);
  holder[last] = value;
  return wire;
}

describe('ManifestSchema', () => {
  test('gives back what manifestToWire wrote', () => {
    expect(v.parse(ManifestSchema, JSON.parse(JSON.stringify(manifestToWire(manifest))))).toEqual(manifest);
  });

  test('gives back a manifest without a draft, a matrix or measurements', () => {
    const bare: Manifest = {
      ...manifest,
      model: { ...manifest.model, rope: { theta: 1e4, scaling: { type: 'default' } } },
      scores: { ...manifest.scores, method: 'last', matrix: null },
      drafts: [],
      measured: null,
    };
    expect(v.parse(ManifestSchema, manifestToWire(bare))).toEqual(bare);
  });

  test('gives back what rounding the target has changed', () => {
    const loss: TargetLoss = {
      sequences: 6,
      tokens: 1500,
      storedNllPerToken: 2.1,
      nllPerToken: 2.2,
      agreement: 0.9,
    };
    const target: TargetFacts = { precision: 'int4', loss };
    const weights = { ...manifest.files[0]!, name: 'target.int4.safetensors', role: 'weights' } as const;
    const rounded: Manifest = { ...manifest, target, files: [...manifest.files, weights] };
    expect(v.parse(ManifestSchema, manifestToWire(rounded))).toEqual(rounded);
    expect(manifestToWire(rounded).target).toMatchObject({ loss: { stored_nll_per_token: 2.1 } });
  });

  test('is snake_case on the wire, units as names', () => {
    const wire = JSON.stringify(manifestToWire(manifest));
    expect(wire).not.toMatch(/"[a-z_]*[A-Z][A-Za-z]*":/);
    expect(wire).toContain('"dropped":["1.attn"]');
  });

  const broken: [string, unknown, RegExp][] = [
    ['surprise', 1, /surprise/],
    ['model.num_layers', 3, /2L units/],
    ['model.num_layers', Number.MAX_SAFE_INTEGER, /2L units/],
    ['model.family', 'gpt2', /"llama"/],
    ['model.rope.scaling', { type: 'yarn' }, /"default"/],
    ['target.precision', 'int8', /"stored"/],
    ['target.precision', 'int4', /target\.int4\.safetensors is not among the files of role weights/],
    ['target.loss', {}, /sequences/],
    ['scores.layers', [1], /L numbers/],
    ['scores.matrix', [[1]], /2L x 2L/],
    ['drafts.0.dropped', ['2.attn'], /beyond the last/],
    ['drafts.0.dropped', ['1.head'], /format/],
    ['drafts.0.vocabulary', [1], /no head of its own/],
    ['drafts.1.vocabulary', [], /length/],
    ['drafts.1.vocabulary', [2, 2], /ascend/],
    ['drafts.1.vocabulary', [2, 400], /beyond the last/],
    ['drafts.0.kept_share', 1.5, /<=1/],
    ['drafts.0.graph', 'other.onnx', /files of role graph/],
    ['drafts.0.slots', [2], /slots/],
    ['drafts.0.name', 'drop-2', /one name/],
    ['engine.graph', 'other.onnx', /files of role graph/],
    ['measured.served_draft', 'drop-9', /not among the drafts/],
    ['measured.candidates.0.name', 'drop-9', /not among the drafts/],
    ['engine.draft_slots', [2], /draft_slots/],
    ['engine.inputs.past_keys', ['one'], /draft_slots/],
    ['calibration.seed', -1, />=0/],
    ['measured.threads.chosen', 4, /not among the counts/],
    ['measured.date', 'yesterday', /date|timestamp/i],
  ];
  test.each(broken)('refuses %s = %p', (path, value, message) => {
    const result = v.safeParse(ManifestSchema, wireWith(path, value));
    expect(result.success).toBe(false);
    expect(result.issues?.map((issue) => `${v.getDotPath(issue)} ${issue.message}`).join('; ')).toMatch(
      message,
    );
  });

  const unsafe = [
    '../model.bin',
    '/etc/passwd',
    'a/../../b',
    'a\\..\\b',
    'C:/x',
    '.',
    './x',
    'a//b',
    '',
    'a/',
    'x\0y',
  ];
  test.each(unsafe)('refuses the file name %p', (name) => {
    const files = [...manifest.files, { ...manifest.files[0]!, name }];
    expect(() => manifestToWire({ ...manifest, files })).toThrow();
  });

  test.each(['model-00001-of-00002.safetensors', 'onnx/model.bin', '..a', 'a..b', '.hidden'])(
    'takes the file name %p',
    (name) => {
      const files = [...manifest.files, { ...manifest.files[0]!, name }];
      expect(manifestToWire({ ...manifest, files }).files).toHaveLength(4);
    },
  );

  test('refuses a file listed twice', () => {
    expect(() => manifestToWire({ ...manifest, files: [...manifest.files, ...manifest.files] })).toThrow(
      /twice/,
    );
  });
});

describe('formatManifest()', () => {
  test('does not depend on the order of keys', () => {
    const reversed = v.parse(
      v.custom<Manifest>(() => true),
      Object.fromEntries(
        Object.entries({
          ...manifest,
          model: Object.fromEntries(Object.entries(manifest.model).reverse()),
        }).reverse(),
      ),
    );
    expect(formatManifest(reversed)).toBe(formatManifest(manifest));
  });

  test('rounds to 7 significant digits outside of `measured` only', () => {
    const text = formatManifest(manifest);
    expect(text).toContain('"score": 0.1234568\n');
    expect(text).toContain('"score": 6.666667e-10\n');
    expect(text).toContain('"acceptance_rate": 0.8123456789,');
    expect(text).toContain('"plain_tokens_per_second": 400.123456789,');
  });

  test('writes a row of the matrix as a line', () => {
    expect(formatManifest(manifest)).toContain('\n      [0, 0, -0.1, 4]\n');
  });

  test('is JSON of the wire form', () => {
    const { measured, model } = JSON.parse(formatManifest(manifest));
    expect({ measured, model }).toEqual({
      measured: manifestToWire(manifest).measured as object,
      model: manifestToWire(manifest).model as object,
    });
  });
});

describe('manifestJsonSchema()', () => {
  interface Node {
    readonly type?: string;
    readonly const?: string;
    readonly description?: string;
    readonly unit?: string;
    readonly properties?: Record<string, Node>;
    readonly items?: Node;
    readonly anyOf?: Node[];
    readonly oneOf?: Node[];
  }

  /** Every property of every object, with its dotted path. */
  function listFields(node: Node, path = ''): [string, Node][] {
    const own = Object.entries(node.properties ?? {}).map(([key, field]): [string, Node] => [
      `${path}.${key}`,
      field,
    ]);
    const inner = [
      ...(node.items === undefined ? [] : [node.items]),
      ...(node.anyOf ?? []),
      ...(node.oneOf ?? []),
    ];
    return [
      ...own,
      ...own.flatMap(([at, field]) => listFields(field, at)),
      ...inner.flatMap((item) => listFields(item, path)),
    ];
  }

  const fields = listFields(manifestJsonSchema());

  test('covers the manifest', () => {
    const paths = fields.map(([path]) => path);
    expect(paths).toContain('.files.sha256');
    expect(paths).toContain('.model.rope.scaling.low_freq_factor');
    expect(paths).toContain('.engine.inputs.past_keys');
    expect(paths).toContain('.measured.candidates.draft_ms');
    expect(fields.length).toBeGreaterThan(90);
  });

  test('describes every field, numbers with their unit', () => {
    expect(
      fields.filter(([, { description }]) => (description ?? '').length < 4).map(([path]) => path),
    ).toEqual([]);
    const numbers = fields.filter(([, { type }]) => type === 'number' || type === 'integer');
    expect(numbers.filter(([, { unit }]) => unit === undefined).map(([path]) => path)).toEqual([]);
    expect(numbers.length).toBeGreaterThan(35);
  });

  test('names the keys that formatManifest() writes, no more and no less', () => {
    const schemaKeys = Object.keys(manifestJsonSchema().properties as object);
    expect(Object.keys(JSON.parse(formatManifest(manifest)))).toEqual(schemaKeys);
    expect(manifestJsonSchema().required).toEqual(schemaKeys);
  });
});
