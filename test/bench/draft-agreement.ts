import { buildForward } from '../../src/graph/forward.ts';
import type { ModelFolder } from '../../src/hf/types.ts';
import { encodeModel, GraphBuilder } from '../../src/onnx/index.ts';
import type { Unit } from '../../src/plan/types.ts';
import { floatTensor, intTensor, openSession, type TensorLike } from '../../src/runtime/index.ts';

const hidden = -1e9;

/**
 * Share of positions at which a draft without the units `dropped` guesses the target's most likely token, one step
 * ahead: as in serving, it reads the target's keys and values of all earlier positions and adds only its own row.
 */
export async function measureDraftAgreement(
  folder: ModelFolder,
  dropped: readonly Unit[],
  sequences: readonly (readonly number[])[],
): Promise<number> {
  const session = await openSession({
    graph: buildGraph(folder, dropped),
    weightsDir: folder.dir,
    memoryPattern: false,
  });
  try {
    let equal = 0;
    let positions = 0;
    for (const ids of sequences) {
      const { target, draft } = session.run(feedsOf(ids), ['target', 'draft']);
      ids.forEach((_, t) => {
        if (target!.data[t] === draft!.data[t]) equal++;
      });
      positions += ids.length;
    }
    return equal / positions;
  } finally {
    session.dispose();
  }
}

/** Target and draft over one sequence; the draft's past is the target's new rows. */
function buildGraph(folder: ModelFolder, dropped: readonly Unit[]): Uint8Array {
  const g = new GraphBuilder();
  const isOff = (unit: Unit) =>
    dropped.some(({ layer, block }) => layer === unit.layer && block === unit.block);
  const shared = {
    folder,
    g,
    inputIds: g.input('input_ids', 'int32', [1, 'S']),
    positionIds: g.input('position_ids', 'int32', [1, 'S']),
  };
  const target = buildForward({ ...shared, attentionBias: g.input('causal', 'float32', [1, 'S', 'S']) });
  const attentionBias = g.input('past_and_own_row', 'float32', [1, 'S', '2*S']);
  const past = target.newKeyValues.filter((_, layer) => !isOff({ layer, block: 'attn' }));
  const draft = g.scope('draft', () =>
    buildForward({ ...shared, attentionBias, past, modeOf: (unit) => (isOff(unit) ? 'off' : 'on') }),
  );
  g.output('target', g.op.ArgMax(target.logits, { axis: -1, keepdims: 0 }));
  g.output('draft', g.op.ArgMax(draft.logits, { axis: -1, keepdims: 0 }));
  return encodeModel(g.build());
}

function feedsOf(ids: readonly number[]): Record<string, TensorLike> {
  const length = ids.length;
  const causal = new Float32Array(length * length);
  const pastAndOwnRow = new Float32Array(length * 2 * length).fill(hidden);
  for (let query = 0; query < length; query++) {
    causal.fill(hidden, query * length + query + 1, (query + 1) * length);
    pastAndOwnRow.fill(0, query * 2 * length, query * 2 * length + query);
    pastAndOwnRow[query * 2 * length + length + query] = 0;
  }
  return {
    input_ids: intTensor(Int32Array.from(ids), [1, length]),
    position_ids: intTensor(
      Int32Array.from(ids, (_, t) => t),
      [1, length],
    ),
    causal: floatTensor(causal, [1, length, length]),
    past_and_own_row: floatTensor(pastAndOwnRow, [1, length, 2 * length]),
  };
}
