import { expect, test } from 'bun:test';
import { KvCache } from '../../src/engine/kv-cache.ts';
import { KvPool } from '../../src/engine/kv-pool.ts';
import { Profiler } from '../../src/engine/profiler.ts';
import { Stepper } from '../../src/engine/stepper.ts';
import { buildServingGraph } from '../../src/graph/serving.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { openSession } from '../../src/runtime/index.ts';
import { goldenDir } from '../golden/models.ts';

test('a run whose rows find no room leaves every cache as it was', async () => {
  const folder = await readModelFolder(goldenDir('smollm2-tied'));
  const { bytes: graph, spec } = buildServingGraph(folder, { dropped: [] });
  const session = await openSession({ graph, weightsDir: folder.dir, threads: 1 });
  const stepper = new Stepper(session, spec, new Profiler());
  const { pastKeys } = spec.inputs;
  const pool = new KvPool({ numSlots: pastKeys.length, numKvHeads: spec.numKvHeads, headDim: spec.headDim });
  const caches = [new KvCache(pool), new KvCache(pool)];
  const entries = caches.map((cache, i) => ({ cache, ids: [5 + i, 6], outputRows: 1 }));
  const good = stepper.run(entries, 'target').logits.map((row) => Float32Array.from(row));
  for (const cache of caches) cache.trim(0);
  const append = caches[1]!.append;
  caches[1]!.append = () => {
    throw new RangeError('Array buffer allocation failed');
  };
  expect(() => stepper.run(entries, 'target')).toThrow(RangeError);
  expect(caches.map(({ length }) => length)).toEqual([0, 0]);
  caches[1]!.append = append;
  expect(stepper.run(entries, 'target').logits).toEqual(good);
  expect(caches.map(({ length }) => length)).toEqual([2, 2]);
  session.dispose();
});
