import { readFileSync } from 'node:fs';
import { buildServingGraph } from '../../src/graph/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { boolTensor, floatTensor, intTensor, openSession } from '../../src/runtime/index.ts';

/** Prints the peak resident bytes of this process after serving one step of the model folder in argv. */
const folder = await readModelFolder(process.argv[2]!);
const { bytes, spec } = buildServingGraph(folder, {
  dropped: [
    { layer: 1, block: 'attn' },
    { layer: 2, block: 'mlp' },
  ],
});
const session = await openSession({ graph: bytes, weightsDir: folder.dir, threads: 2 });
const past = floatTensor(new Float32Array(spec.numKvHeads * 64 * spec.headDim), [
  1,
  spec.numKvHeads,
  64,
  spec.headDim,
]);
const feeds = {
  [spec.inputs.inputIds]: intTensor(Int32Array.of(1), [1, 1]),
  [spec.inputs.positionIds]: intTensor(Int32Array.of(64), [1, 1]),
  [spec.inputs.attentionBias]: floatTensor(new Float32Array(65), [1, 1, 65]),
  [spec.inputs.outputRows]: intTensor(Int32Array.of(0), [1]),
  [spec.inputs.isDraft!]: boolTensor(false),
  ...Object.fromEntries([...spec.inputs.pastKeys, ...spec.inputs.pastValues].map((name) => [name, past])),
};
session.run(feeds, [spec.outputs.logits, spec.outputs.newKeyValues]);
const [, peakKb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))!;
process.stdout.write(`${Number(peakKb) * 1024}`);
session.dispose();
