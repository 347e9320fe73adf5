import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import type { ArtifactParts, ManifestContent } from '../../src/artifact/write.ts';

/** A two-layer model's manifest, every branch of the schema in use. */
export const exampleContent: ManifestContent = {
  name: 'example',
  model: {
    family: 'llama',
    numLayers: 2,
    hiddenSize: 64,
    intermediateSize: 128,
    numHeads: 4,
    numKvHeads: 2,
    headDim: 16,
    vocabSize: 400,
    maxPositions: 512,
    rmsNormEps: 1e-5,
    rope: {
      theta: 500000,
      scaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 128 },
    },
    tiedEmbeddings: true,
    qkvBias: false,
    outputBias: false,
    mlpBias: false,
    qkNorm: false,
  },
  generation: {
    bosTokenId: 0,
    eosTokenIds: [0, 2],
    temperature: 0.7,
    topP: undefined,
    topK: undefined,
    repetitionPenalty: undefined,
  },
  target: { precision: 'stored', loss: null },
  scores: {
    method: 'fit',
    units: [
      { name: '0.attn', score: 0.123456789 },
      { name: '0.mlp', score: 1 / 3 },
      { name: '1.attn', score: 2e-9 / 3 },
      { name: '1.mlp', score: 4 },
    ],
    layers: [0.4567890123, 4.5],
    matrix: [
      [1, 0.5, 0, 0],
      [0.5, 2, 0, 0],
      [0, 0, 3, -0.1],
      [0, 0, -0.1, 4],
    ],
  },
  drafts: [
    {
      name: 'drop-1',
      dropped: [{ layer: 1, block: 'attn' }],
      int4: [],
      int8: [],
      head: 'shared',
      keptShare: 0.75,
      extraBytes: 0,
      predictedKl: null,
      graph: 'graph.drop-1.onnx',
      isDraft: 'is_draft',
      slots: [0],
    },
    {
      name: 'drop-2',
      dropped: [
        { layer: 0, block: 'mlp' },
        { layer: 1, block: 'attn' },
      ],
      int4: [{ layer: 1, block: 'mlp' }],
      int8: [{ layer: 0, block: 'attn' }],
      head: 'int8',
      vocabulary: [0, 2, 399],
      keptShare: 0.5,
      extraBytes: 12345,
      predictedKl: 0.125,
      graph: 'graph.drop-2.onnx',
      isDraft: 'is_draft',
      slots: [0],
    },
  ],
  calibration: {
    source: 'self',
    fileSha256: null,
    seed: 7,
    sequences: 12,
    tokens: 3072,
    relativeStandardError: 0.0412345678,
    stoppedBy: 'stable',
  },
  engine: {
    graph: 'graph.onnx',
    vocabSize: 400,
    maxContextTokens: 512,
    numKvHeads: 2,
    headDim: 16,
    inputs: {
      inputIds: 'input_ids',
      positionIds: 'position_ids',
      attentionBias: 'attention_bias',
      outputRows: 'output_rows',
      isDraft: null,
      pastKeys: ['past.0.key', 'past.1.key'],
      pastValues: ['past.0.value', 'past.1.value'],
    },
    outputs: { logits: 'logits', newKeyValues: 'new_key_values' },
    draftSlots: [0, 1],
  },
  measured: {
    date: '2026-01-02T03:04:05.678Z',
    machine: { cpu: 'A processor', cores: 2, memoryBytes: 8e9, os: 'linux x64', runtime: 'node 20.20.2' },
    threads: {
      chosen: 2,
      skipped: null,
      counts: [
        {
          threads: null,
          draftMs: 1.1,
          draftStartMs: 0.2,
          targetMs: 2.2,
          draftLength: 1,
          verificationMs: 2.5,
          predictedTokensPerSecond: 500,
        },
        {
          threads: 2,
          draftMs: 0.9,
          draftStartMs: 0.1,
          targetMs: 2,
          draftLength: 2,
          verificationMs: 2.4,
          predictedTokensPerSecond: 550,
        },
      ],
    },
    servedDraft: 'drop-1',
    chosenBy: 'speed',
    acceptanceRate: 0.8123456789,
    acceptanceByPosition: [0.9, 0.8],
    costs: { draftMs: 1.1, draftStartMs: 0.2, targetMs: 2.2, verification: [{ width: 4, ms: 3.3 }] },
    plainTokensPerSecond: 400.123456789,
    lookupTokensPerSecond: 420,
    predictedTokensPerSecond: 500,
    measuredTokensPerSecond: 480,
    candidates: [
      {
        name: 'drop-1',
        acceptanceRate: 0.8,
        draftMs: 1.1,
        draftStartMs: 0.2,
        predictedTokensPerSecond: 500,
        measuredTokensPerSecond: null,
        ratios: [],
      },
    ],
  },
};

/** An empty folder that `await using` removes. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(os.tmpdir(), 'sdfp-artifact-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A folder that looks like a model's (a small and a large file, one in a subfolder), and what a build would make of it. */
export async function exampleParts(modelDir: string): Promise<ArtifactParts> {
  await mkdir(join(modelDir, 'extra'), { recursive: true });
  await writeFile(join(modelDir, 'config.json'), '{"model_type": "llama"}');
  await writeFile(join(modelDir, 'model.safetensors'), new Uint8Array(1_200_000).fill(7));
  await writeFile(join(modelDir, 'extra/template.jinja'), 'hello');
  return {
    modelDir,
    sourceFiles: ['model.safetensors', 'config.json', 'extra/template.jinja'],
    graphs: exampleGraphs(10),
    content: exampleContent,
  };
}

/** Three graphs that differ in their last byte with `version`. */
export function exampleGraphs(version: number): ArtifactParts['graphs'] {
  return ['graph.onnx', 'graph.drop-1.onnx', 'graph.drop-2.onnx'].map((name, index) => ({
    name,
    bytes: new Uint8Array([8, index, version]),
  }));
}
