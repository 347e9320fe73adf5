import { describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { buildForward } from '../../src/graph/index.ts';
import { inverseFrequencies, rotaryAngles } from '../../src/graph/rotary.ts';
import type { ModelConfig } from '../../src/hf/types.ts';
import { encodeModel, GraphBuilder } from '../../src/onnx/index.ts';
import { intTensor, openSession } from '../../src/runtime/index.ts';
import { openGolden } from './golden.ts';
import { allShapes, makeModel, referenceLogits } from './reference.ts';
import { evalLogits, openEval, relativeError } from './run-graph.ts';

const PLAIN: ModelConfig = {
  family: 'llama',
  numLayers: 2,
  hiddenSize: 12,
  intermediateSize: 20,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 6,
  vocabSize: 17,
  maxPositions: 64,
  rmsNormEps: 1e-5,
  rope: { theta: 100, scaling: { type: 'default' } },
  tiedEmbeddings: false,
  qkvBias: false,
  outputBias: false,
  mlpBias: false,
  qkNorm: false,
};

/** What no golden model has, and each alone. */
const VARIANTS: readonly (readonly [string, Partial<ModelConfig>])[] = [
  ['nothing special', {}],
  ['biases on q, k, v', { qkvBias: true }],
  ['a bias on the attention output', { qkvBias: true, outputBias: true }],
  ['biases in the MLP', { mlpBias: true }],
  ['norms on q and k, with biases', { qkNorm: true, qkvBias: true }],
  ['linear rope scaling', { rope: { theta: 100, scaling: { type: 'linear', factor: 4 } } }],
  ['one key head', { numKvHeads: 1 }],
  ['as many key heads as query heads', { numKvHeads: 4 }],
  ['a tied head', { tiedEmbeddings: true }],
  ['one layer', { numLayers: 1 }],
];

describe('buildForward()', () => {
  test.each(VARIANTS)('with %s agrees with a textbook forward pass', async (_, variant) => {
    const config = { ...PLAIN, ...variant };
    const model = makeModel(config, allShapes(config));
    const ids = [3, 1, 4, 1, 5, 9, 2, 6];
    const session = await openEval(model.folder);
    const logits = evalLogits(session, ids, [0, 3, 7]);
    const reference = referenceLogits(model, ids);
    for (const [i, row] of [0, 3, 7].entries())
      expect(relativeError(logits[i]!, reference[row]!)).toBeLessThan(1e-5);
    session.dispose();
    rmSync(model.folder.dir, { recursive: true });
  });

  test('returns the residual stream around every unit', async () => {
    const { folder } = await openGolden('qwen2-tied');
    const g = new GraphBuilder();
    const forward = buildForward({
      folder,
      g,
      inputIds: g.input('ids', 'int32', [1, 'S']),
      positionIds: g.input('positions', 'int32', [1, 'S']),
      attentionBias: g.input('bias', 'float32', [1, 'S', 'S']),
      modeOf: ({ layer, block }) => (layer === 2 && block === 'mlp' ? 'off' : 'on'),
    });
    expect(forward.units.map(({ unit }) => `${unit.layer}.${unit.block}`).slice(0, 3)).toEqual([
      '0.attn',
      '0.mlp',
      '1.attn',
    ]);
    for (const [u, { before, contribution, after }] of forward.units.entries()) {
      if (u > 0) expect(before).toBe(forward.units[u - 1]!.after);
      if (u === 5) expect([contribution, after]).toEqual([undefined, before]);
      else expect(after.producer?.inputs).toEqual([before, contribution]);
      expect(after.shape).toEqual([1, 'S', 64]);
    }
    expect(forward.stream).toBe(forward.units.at(-1)!.after);
    expect(forward.logits.shape).toEqual(['S', 424]);
  });

  test('refuses to gate attention without a past, and a folder that lacks a tensor', async () => {
    const { folder } = await openGolden('qwen2-tied');
    const build = (tensors: typeof folder.tensors, isGated: boolean) => {
      const g = new GraphBuilder();
      const skipWhen = g.input('skip', 'bool', [1]);
      buildForward({
        folder: { ...folder, tensors },
        g,
        inputIds: g.input('ids', 'int32', [1, 'S']),
        positionIds: g.input('positions', 'int32', [1, 'S']),
        attentionBias: g.input('bias', 'float32', [1, 'S', 'S']),
        modeOf: () => (isGated ? { skipWhen } : 'on'),
      });
    };
    expect(() => build(folder.tensors, true)).toThrow('Gating 0.attn: needs a past');
    expect(() => build(new Map(), false)).toThrow('has no tensor model.embed_tokens.weight');
  });
});

describe('rotaryAngles()', () => {
  test('stays within float32 of the exact angles, up to the longest contexts', async () => {
    const config: ModelConfig = {
      ...PLAIN,
      headDim: 64,
      rope: { theta: 500_000, scaling: { type: 'default' } },
    };
    const positions = [0, 1, 17, 511, 8_191, 131_071];
    const g = new GraphBuilder();
    const { keys, queries } = rotaryAngles(g, config, g.input('positions', 'int32', [1, 'S']));
    g.output('cos', keys.cos);
    g.output('sin', queries.sin);
    const session = await openSession({ graph: encodeModel(g.build()), weightsDir: '.', threads: 1 });
    const feeds = { positions: intTensor(Int32Array.from(positions), [1, positions.length]) };
    const { cos, sin } = session.run(feeds, ['cos', 'sin']);
    session.dispose();
    for (const [row, position] of positions.entries()) {
      for (let i = 0; i < 32; i++) {
        const angle = position / 500_000 ** ((2 * i) / 64);
        const limit = 1e-6 + angle * 2e-7;
        expect(Math.abs(Number(cos!.data[row * 32 + i]) - Math.cos(angle))).toBeLessThan(limit);
        expect(Math.abs(Number(sin!.data[row * 32 + i]) * 8 - Math.sin(angle))).toBeLessThan(limit);
      }
    }
  });

  test('inverseFrequencies() keeps short waves of llama3 and stretches long ones', () => {
    const plain = inverseFrequencies({ theta: 10_000, scaling: { type: 'default' } }, 64);
    const scaled = inverseFrequencies(
      {
        theta: 10_000,
        scaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 64 },
      },
      64,
    );
    expect(scaled[0]).toBe(plain[0]!);
    expect(scaled[31]).toBeCloseTo(plain[31]! / 8, 9);
    const ratios = Array.from(scaled, (value, i) => value / plain[i]!);
    expect(ratios.some((ratio) => ratio > 0.2 && ratio < 0.9)).toBe(true);
    expect([...ratios].sort((a, b) => b - a)).toEqual(ratios);
  });
});
