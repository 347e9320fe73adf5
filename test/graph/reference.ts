import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelConfig, ModelFolder, TensorRef } from '../../src/hf/types.ts';

/** Rows of numbers, [rows][columns]. */
type Matrix = number[][];

/** A model with random weights that no checkpoint on disk had: a folder for the graph, and the numbers themselves. */
export interface ReferenceModel {
  readonly folder: ModelFolder;
  readonly weights: ReadonlyMap<string, Matrix>;
}

/** Shape [1, n] stands for a vector; written as float32, one after the other, into one file. */
export function makeModel(
  config: ModelConfig,
  shapes: readonly (readonly [string, readonly number[]])[],
): ReferenceModel {
  const dir = mkdtempSync(join(tmpdir(), 'sdfp-reference-'));
  const random = lehmer(7);
  const weights = new Map<string, Matrix>();
  const tensors = new Map<string, TensorRef>();
  const all: number[] = [];
  for (const [name, shape] of shapes) {
    const [rows, columns] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!];
    const matrix = range(rows).map(() => range(columns).map(() => Math.fround(random() - 0.5)));
    weights.set(name, matrix);
    const [offsetBytes, lengthBytes] = [4 * all.length, 4 * rows * columns];
    tensors.set(name, { name, dtype: 'F32', shape, file: 'weights.bin', offsetBytes, lengthBytes });
    all.push(...matrix.flat());
  }
  writeFileSync(join(dir, 'weights.bin'), new Uint8Array(Float32Array.from(all).buffer));
  const generation = {
    bosTokenId: undefined,
    eosTokenIds: [],
    temperature: undefined,
    topP: undefined,
    topK: undefined,
  };
  return {
    folder: {
      dir,
      config,
      generation: { ...generation, repetitionPenalty: undefined },
      tensors,
      files: ['weights.bin'],
    },
    weights,
  };
}

/** Every tensor that `config` needs, with its shape. */
export function allShapes(config: ModelConfig): (readonly [string, readonly number[]])[] {
  const {
    hiddenSize: e,
    intermediateSize: f,
    numHeads: h,
    numKvHeads: kv,
    headDim: d,
    vocabSize: v,
  } = config;
  const linear = (
    name: string,
    out: number,
    size: number,
    bias: boolean,
  ): (readonly [string, readonly number[]])[] => [
    [`${name}.weight`, [out, size]],
    ...(bias ? [[`${name}.bias`, [out]] as const] : []),
  ];
  const layers = range(config.numLayers).flatMap((i) => [
    [`model.layers.${i}.input_layernorm.weight`, [e]] as const,
    [`model.layers.${i}.post_attention_layernorm.weight`, [e]] as const,
    ...linear(`model.layers.${i}.self_attn.q_proj`, h * d, e, config.qkvBias),
    ...linear(`model.layers.${i}.self_attn.k_proj`, kv * d, e, config.qkvBias),
    ...linear(`model.layers.${i}.self_attn.v_proj`, kv * d, e, config.qkvBias),
    ...linear(`model.layers.${i}.self_attn.o_proj`, e, h * d, config.outputBias),
    ...(config.qkNorm
      ? ['q', 'k'].map((n) => [`model.layers.${i}.self_attn.${n}_norm.weight`, [d]] as const)
      : []),
    ...linear(`model.layers.${i}.mlp.gate_proj`, f, e, config.mlpBias),
    ...linear(`model.layers.${i}.mlp.up_proj`, f, e, config.mlpBias),
    ...linear(`model.layers.${i}.mlp.down_proj`, e, f, config.mlpBias),
  ]);
  const head = config.tiedEmbeddings ? [] : linear('lm_head', v, e, false);
  return [['model.embed_tokens.weight', [v, e]], ...layers, ['model.norm.weight', [e]], ...head];
}

/** Logits [S][V] by the textbook, in float64, one loop per sum: nothing shared with the graph. */
export function referenceLogits({ folder, weights }: ReferenceModel, ids: readonly number[]): Matrix {
  const { config } = folder;
  const tensor = (name: string) => weights.get(name)!;
  const norm = (x: number[], name: string) => {
    const rms = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + config.rmsNormEps);
    return x.map((value, i) => (value / rms) * tensor(name)[0]![i]!);
  };
  const linear = (x: number[], name: string, bias: boolean) =>
    tensor(`${name}.weight`).map((row, i) => dot(row, x) + (bias ? tensor(`${name}.bias`)[0]![i]! : 0));
  let stream = ids.map((id) => tensor('model.embed_tokens.weight')[id]!);
  for (const layer of range(config.numLayers)) {
    const prefix = `model.layers.${layer}`;
    const heads = (x: number[], name: string, count: number) => {
      const all = linear(
        norm(x, `${prefix}.input_layernorm.weight`),
        `${prefix}.self_attn.${name}_proj`,
        config.qkvBias,
      );
      return range(count).map((h) => all.slice(h * config.headDim, (h + 1) * config.headDim));
    };
    const turned = (x: number[], name: string, count: number, position: number) =>
      heads(x, name, count).map((head) =>
        rotate(
          config.qkNorm ? norm(head, `${prefix}.self_attn.${name}_norm.weight`) : head,
          config,
          position,
        ),
      );
    const keys = stream.map((x, t) => turned(x, 'k', config.numKvHeads, t));
    const values = stream.map((x) => heads(x, 'v', config.numKvHeads));
    stream = stream.map((x, t) => {
      const mixed = turned(x, 'q', config.numHeads, t).flatMap((query, h) => {
        const kv = Math.floor((h * config.numKvHeads) / config.numHeads);
        const probs = softmax(range(t + 1).map((s) => dot(query, keys[s]![kv]!) / Math.sqrt(config.headDim)));
        return query.map((_, d) => probs.reduce((sum, p, s) => sum + p * values[s]![kv]![d]!, 0));
      });
      return add(x, linear(mixed, `${prefix}.self_attn.o_proj`, config.outputBias));
    });
    stream = stream.map((x) => {
      const normed = norm(x, `${prefix}.post_attention_layernorm.weight`);
      const gate = linear(normed, `${prefix}.mlp.gate_proj`, config.mlpBias);
      const up = linear(normed, `${prefix}.mlp.up_proj`, config.mlpBias);
      const hidden = gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!);
      return add(x, linear(hidden, `${prefix}.mlp.down_proj`, config.mlpBias));
    });
  }
  const head = config.tiedEmbeddings ? 'model.embed_tokens' : 'lm_head';
  return stream.map((x) => linear(norm(x, 'model.norm.weight'), head, false));
}

function rotate(x: number[], { rope, headDim }: ModelConfig, position: number): number[] {
  const half = headDim / 2;
  const factor = rope.scaling.type === 'linear' ? rope.scaling.factor : 1;
  return x.map((value, i) => {
    const angle = position / factor / rope.theta ** ((2 * (i % half)) / headDim);
    const other = i < half ? -x[i + half]! : x[i - half]!;
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}

function softmax(x: number[]): number[] {
  const max = Math.max(...x);
  const exps = x.map((value) => Math.exp(value - max));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((value) => value / sum);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]!);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Park and Miller's minimal generator: uniform in (0, 1), the same on every machine. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
