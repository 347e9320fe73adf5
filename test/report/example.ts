import type { Manifest } from '../../src/artifact/index.ts';
import type { ReportInput, Study } from '../../src/report/index.ts';
import { exampleContent } from '../artifact/example.ts';

/** A manifest as a reader sees it, of the two-layer example. */
export const exampleManifest: Manifest = {
  schemaVersion: 1,
  sdfpVersion: '0.0.1',
  files: [
    { name: 'graph.onnx', role: 'graph', bytes: 1234, sha256: 'ab'.repeat(32), checkedFast: true },
    {
      name: 'model.safetensors',
      role: 'source',
      bytes: 5_600_000,
      sha256: 'cd'.repeat(32),
      checkedFast: false,
    },
  ],
  ...exampleContent,
};

/** What a study of it could have found. */
export const exampleStudy: Study = {
  methods: {
    scoredSequences: 3,
    heldOutSequences: 2,
    positions: 500,
    methods: ['fit', 'last', 'random'].map((method, m) => ({
      method,
      points: [1, 2, 3].map((dropped) => ({
        dropped,
        keptShare: 1 - dropped / 4 - m / 100,
        agreement: 0.9 - dropped / 5 - m / 20,
      })),
    })),
  },
  draft: {
    name: 'drop-1',
    acceptanceByPosition: [0.8, 0.7, 0.6],
    lengths: [0, 1, 2, 4].map((draftLength) => ({
      draftLength,
      predictedTokensPerSecond: 400 + 20 * draftLength,
      measuredTokensPerSecond: 400 + 15 * draftLength,
    })),
  },
  example: {
    prompt: 'Once upon',
    temperature: 0.7,
    seed: 1,
    pieces: [
      { text: ' a', origin: 'target' },
      { text: ' time', origin: 'draft' },
      { text: '', origin: 'draft' },
      { text: ' there', origin: 'lookup' },
    ],
  },
};

export const exampleInput: ReportInput = {
  manifest: exampleManifest,
  settings: [
    { name: '--method', value: 'fit', isDefault: true },
    { name: '--seed', value: '7', isDefault: false },
  ],
  study: exampleStudy,
};
