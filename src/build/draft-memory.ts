import type { ModelConfig, ModelFolder } from '../hf/index.ts';
import { HEAD_PART } from '../lib/units.ts';
import { type OptionBytes, planBytes } from '../plan/mix.ts';
import type { DraftPlan } from '../plan/types.ts';
import { layoutReducedHead, layoutRoundedFile, type RoundedMatrix, type Rounding } from '../quant/index.ts';

/** Rounded weights of each part beside the target's: a dropped one reads none, and a rounded target has those of its rounding. */
export function optionBytes({ config, precision }: ModelFolder): OptionBytes {
  const files = { int4: bytesByPart(config, 'int4'), int8: bytesByPart(config, 'int8') };
  return ({ part, kind }) => (kind === 'drop' || kind === precision ? 0 : (files[kind].get(part) ?? 0));
}

function bytesByPart(config: ModelConfig, rounding: Rounding): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  for (const matrix of layoutRoundedFile(config, rounding).matrices) {
    const part = matrix.name.match(/^layers\.(\d+\.(?:attn|mlp))\./)?.[1] ?? HEAD_PART;
    bytes.set(part, (bytes.get(part) ?? 0) + matrixBytes(matrix));
  }
  return bytes;
}

function matrixBytes({ packed, scales }: RoundedMatrix): number {
  return packed.lengthBytes + scales.lengthBytes;
}

/** Rounded weights that the draft loads beside the target's. */
export function extraBytes(folder: ModelFolder, plan: DraftPlan): number {
  const { head = 'shared', vocabulary } = plan;
  const bytesOf = optionBytes(folder);
  if (head === 'shared' || vocabulary === undefined) return planBytes(plan, bytesOf);
  const { matrices } = layoutReducedHead(folder.config, head, vocabulary.length);
  const reduced = matrices.reduce((sum, matrix) => sum + matrixBytes(matrix), 0);
  return planBytes({ ...plan, head: 'shared' }, bytesOf) + reduced;
}
