import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { openStage } from '../../src/build/stage.ts';
import { createEngine } from '../../src/engine/index.ts';
import { buildServingGraph } from '../../src/graph/serving.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { RandomStream } from '../../src/lib/random.ts';
import { listUnits } from '../../src/lib/units.ts';
import type { DraftPlan } from '../../src/plan/types.ts';
import { temporaryFolder } from '../artifact/example.ts';
import { goldenDir, readGolden } from '../golden/models.ts';
import { collect, requestOf } from './helpers.ts';
import { randomRequest, withDraftLength, withoutSpeculation } from './random-request.ts';

setDefaultTimeout(60_000); // a machine of two busy cores

const MODEL = 'smollm2-tied';
const units = listUnits(6);
/** Half of the 384 tokens. */
const vocabulary = Array.from({ length: 192 }, (_, i) => 2 * i);
const PLANS: Record<string, DraftPlan> = {
  int4: { dropped: [], int4: units, head: 'int4' },
  int8: { dropped: [], int8: units, head: 'int8' },
  'mixed with drops': {
    dropped: [units[4]!, units[7]!],
    int4: units.filter((_, i) => i % 3 === 0),
    int8: units.filter((_, i) => i % 6 === 2),
    head: 'shared',
  },
  'int8 with a reduced vocabulary': { dropped: [], int8: units, head: 'int8', vocabulary },
};

describe.each(Object.entries(PLANS))('a draft with rounded weights: %s', (_, plan) => {
  test('random requests give the same text with speculation on, off and any draft length', async () => {
    await using scratch = await temporaryFolder();
    const folder = await readModelFolder(goldenDir(MODEL));
    await using stage = await openStage(folder, {
      outDir: join(scratch.path, 'artifact'),
      roundings: ['int4', 'int8'],
      signal: undefined,
      onProgress: () => {},
    });
    await stage.addReducedHeads([{ rounding: 'int8', vocabulary }]);
    const { bytes: graph, spec } = buildServingGraph(folder, plan);
    const engine = await createEngine({ graph, spec, weightsDir: stage.dir, threads: 1 });
    const golden = readGolden(MODEL);
    const greedy = requestOf({ promptIds: golden.prompt_ids, maxTokens: golden.greedy.length });
    const random = new RandomStream(11);
    const requests = Array.from({ length: 15 }, () => randomRequest(random, spec.vocabSize, 16));
    let [drafted, accepted] = [0, 0];
    for (const request of [greedy, ...requests]) {
      const plain = await collect(engine, withoutSpeculation(request));
      if (request === greedy) expect(plain.ids).toEqual([...golden.greedy]);
      for (const draftLength of [undefined, 1, 3, 8]) {
        const run = await collect(engine, withDraftLength(request, draftLength));
        expect(run.ids).toEqual(plain.ids);
        drafted += run.done.stats.numDraftTokens;
        accepted += run.done.stats.numAcceptedTokens;
      }
    }
    const speculation = { draftLength: 3, verification: 'rejection' } as const;
    const rejection = { ...greedy, speculation: { ...greedy.speculation, ...speculation } };
    expect((await collect(engine, rejection)).ids).toEqual([...golden.greedy]);
    // The draft is a real one, it errs, and it is far nearer to the target than chance (1 of 384).
    expect(accepted).toBeGreaterThan(drafted * 0.2);
    expect(accepted).toBeLessThan(drafted);
    await engine.dispose();
  });
});
