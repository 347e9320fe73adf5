import { fileURLToPath } from 'node:url';
import { type Artifact, type MeasuredFacts, writeArtifact } from '../../src/artifact/index.ts';
import { buildServingGraph } from '../../src/graph/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { listUnitNames, parseUnit } from '../../src/lib/units.ts';
import { describeMachine } from '../../src/measure/machine.ts';

/** The story model's folder, baked or not. */
export const STORIES_DIR: string = fileURLToPath(new URL('../../artifacts/stories', import.meta.url));

/** Units of the story model that change little: a plan of a real build would hold about these. */
const DROPPED = ['1.attn', '2.mlp', '4.attn', '5.attn'];

const ELSEWHERE: Pick<MeasuredFacts, 'machine' | 'threads'> = {
  machine: { cpu: 'none', cores: 1, memoryBytes: 1, os: 'none', runtime: 'none' },
  threads: { chosen: null, skipped: 'the process has one core', counts: [] },
};

function fastestHere(threads: number): Pick<MeasuredFacts, 'machine' | 'threads'> {
  const steps = { draftMs: 1, draftStartMs: 0, targetMs: 2, draftLength: 1, verificationMs: 2 };
  const counts = [{ threads, ...steps, predictedTokensPerSecond: 400 }];
  return { machine: describeMachine(), threads: { chosen: threads, skipped: null, counts } };
}

/**
 * Bakes the story model with a fixed draft, no scoring, in a second: weights are linked, the graph is real. With `threads` it
 * says that so many were the fastest on this machine, without that it was measured on another.
 */
export async function bakeStories(outDir: string, threads?: number): Promise<Artifact> {
  const folder = await readModelFolder(STORIES_DIR);
  const dropped = DROPPED.map((name) => parseUnit(name)!);
  const target = buildServingGraph(folder, { dropped: [] });
  const draft = buildServingGraph(folder, { dropped });
  const units = listUnitNames(folder.config.numLayers).map((name) => ({ name, score: 0 }));
  return writeArtifact(outDir, {
    modelDir: STORIES_DIR,
    sourceFiles: folder.files,
    graphs: [
      { name: target.spec.graph, bytes: target.bytes },
      { name: 'draft.onnx', bytes: draft.bytes },
    ],
    content: {
      name: 'stories',
      model: folder.config,
      generation: folder.generation,
      target: { precision: 'stored', loss: null },
      scores: { method: 'last', units, layers: Array(folder.config.numLayers).fill(0), matrix: null },
      drafts: [
        {
          name: 'fixed',
          dropped,
          keptShare: 0.75,
          graph: 'draft.onnx',
          isDraft: draft.spec.inputs.isDraft,
          slots: draft.spec.draftSlots,
        },
      ],
      calibration: {
        source: 'self',
        fileSha256: null,
        seed: 0,
        sequences: 0,
        tokens: 0,
        relativeStandardError: null,
        stoppedBy: 'none',
      },
      engine: target.spec,
      measured: {
        date: '2026-01-01T00:00:00Z',
        ...(threads === undefined ? ELSEWHERE : fastestHere(threads)),
        servedDraft: 'fixed',
        chosenBy: 'keep',
        acceptanceRate: 0.7,
        acceptanceByPosition: [0.7],
        costs: { draftMs: 1, draftStartMs: 0, targetMs: 2, verification: [{ width: 4, ms: 3 }] },
        plainTokensPerSecond: 1,
        lookupTokensPerSecond: 1,
        predictedTokensPerSecond: 1,
        measuredTokensPerSecond: 1,
        candidates: [],
      },
    },
  });
}
