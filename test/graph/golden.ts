import { readModelFolder } from '../../src/hf/index.ts';
import type { ModelFolder } from '../../src/hf/types.ts';
import type { Unit } from '../../src/plan/types.ts';
import {
  type Golden,
  type GoldenHalfPruned,
  type GoldenModel,
  type GoldenPruned,
  goldenDir,
  readGolden,
} from '../golden/models.ts';

export async function openGolden(name: GoldenModel): Promise<{ folder: ModelFolder; golden: Golden }> {
  return { folder: await readModelFolder(goldenDir(name)), golden: readGolden(name) };
}

/** The `pruned` and `half_pruned` cases, each with the units it leaves out. */
export function prunedCases(golden: Golden): { dropped: Unit[]; golden: GoldenPruned | GoldenHalfPruned }[] {
  const whole = golden.pruned.map((pruned) => ({ dropped: units(pruned.drop, pruned.drop), golden: pruned }));
  const half = golden.half_pruned.map((pruned) => ({
    dropped: units(pruned.drop_attn, pruned.drop_mlp),
    golden: pruned,
  }));
  return [...whole, ...half];
}

function units(attn: readonly number[], mlp: readonly number[]): Unit[] {
  return [
    ...attn.map((layer): Unit => ({ layer, block: 'attn' })),
    ...mlp.map((layer): Unit => ({ layer, block: 'mlp' })),
  ];
}
