import { expect, test } from 'bun:test';
import { compareMethods } from '../../src/build/compare-methods.ts';
import { methodNames, scoreSequences } from '../../src/fit/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import { goldenDir, readGolden } from '../golden/models.ts';

const folder = await readModelFolder(goldenDir('smollm2-tied'));
const golden = readGolden('smollm2-tied');
const scored = golden.fisher.sequences.map(({ ids }) => ids);
const heldOut = [[...golden.prompt_ids, ...golden.greedy]];

test('compareMethods() measures every method at the same numbers of dropped blocks', async () => {
  const details: string[] = [];
  let lastShare = 0;
  const study = await compareMethods(folder, {
    scored,
    heldOut,
    seed: 3,
    onProgress: (detail, share) => {
      details.push(detail);
      expect(share).toBeGreaterThanOrEqual(lastShare);
      lastShare = share;
    },
  });
  expect(study.methods.map(({ method }) => method)).toEqual([...methodNames]);
  expect(study).toMatchObject({ scoredSequences: 3, heldOutSequences: 1, positions: heldOut[0]!.length });
  expect(details).toContain('scores of fit-trace and fit-diag');
  const numUnits = 2 * folder.config.numLayers;
  for (const { points } of study.methods) {
    expect(points.length).toBeGreaterThan(2);
    for (const { dropped, keptShare, agreement } of points) {
      expect(dropped).toBeLessThan(numUnits);
      expect(keptShare).toBeGreaterThan(0);
      expect(keptShare).toBeLessThan(1);
      expect(agreement).toBeGreaterThanOrEqual(0);
      expect(agreement).toBeLessThanOrEqual(1);
    }
  }
});

test('scores that are there already give the same as new ones', async () => {
  const known = await scoreSequences(folder, 'fit', scored);
  const [fresh, reused] = [
    await compareMethods(folder, { scored, heldOut, seed: 3 }),
    await compareMethods(folder, { scored, heldOut, seed: 3, known }),
  ];
  expect(reused).toEqual(fresh);
});
