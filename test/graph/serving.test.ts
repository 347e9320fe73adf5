import { describe, expect, test } from 'bun:test';
import { buildServingGraph, servingGraph } from '../../src/graph/serving.ts';
import { listUnits } from '../../src/lib/units.ts';
import { GOLDEN_MODELS } from '../golden/models.ts';
import { digestGraph } from '../onnx/digest.ts';
import { openGolden, prunedCases } from './golden.ts';
import { argmax, relativeError } from './run-graph.ts';
import { ServingRunner } from './serving-runner.ts';

describe.each([...GOLDEN_MODELS])('buildServingGraph() of %s', (name) => {
  test('step by step over the KV cache gives the golden logits and greedy tokens', async () => {
    const { folder, golden } = await openGolden(name);
    const runner = await ServingRunner.open(folder);
    const prefill = runner.step(golden.prompt_ids);
    for (const [i, row] of prefill.slice(-3).entries())
      expect(relativeError(row, golden.logits[i]!)).toBeLessThan(1e-4);
    const ids = [argmax(prefill.at(-1)!)];
    while (ids.length < golden.greedy.length) ids.push(argmax(runner.step([ids.at(-1)!])[0]!));
    expect(ids).toEqual([...golden.greedy]);
    runner.dispose();
  });

  test('with is_draft gives every pruned case; without it, the target', async () => {
    const { folder, golden } = await openGolden(name);
    for (const { dropped, golden: pruned } of prunedCases(golden)) {
      const runner = await ServingRunner.open(folder, dropped);
      // From an empty cache, the draft's own keys and values are those of the pruned model.
      const draft = runner.run([...golden.prompt_ids, ...golden.greedy.slice(0, -1)], { draft: true });
      const logits = draft.logits.slice(golden.prompt_ids.length - 1);
      expect(relativeError(logits[0]!, pruned.logits)).toBeLessThan(1e-4);
      expect(logits.map(argmax)).toEqual([...pruned.draft_argmax]);
      const target = runner.run(golden.prompt_ids).logits.at(-1)!;
      expect(relativeError(target, golden.logits[2]!)).toBeLessThan(1e-4);
      runner.dispose();
    }
  });

  test('a verification of four tokens gives what four steps give', async () => {
    const { folder, golden } = await openGolden(name);
    const runner = await ServingRunner.open(folder);
    runner.step(golden.prompt_ids);
    const tokens = golden.greedy.slice(0, 4);
    const wide = runner.run(tokens);
    for (const [i, token] of tokens.entries()) {
      expect(relativeError(runner.step([token])[0]!, [...wide.logits[i]!])).toBeLessThan(1e-5);
    }
    runner.dispose();
  });

  test('unused rows behind the past change nothing', async () => {
    const { folder, golden } = await openGolden(name);
    const dropped = listUnits(folder.config.numLayers).filter((_, i) => i % 3 === 1);
    const runner = await ServingRunner.open(folder, dropped);
    const fromEmpty = runner.run(golden.prompt_ids, { padding: 64 }).logits.at(-1)!;
    expect(relativeError(fromEmpty, golden.logits[2]!)).toBeLessThan(1e-4);
    runner.step(golden.prompt_ids);
    for (const draft of [false, true]) {
      const tokens = golden.greedy.slice(0, 2);
      const plain = runner.run(tokens, { draft });
      const padded = runner.run(tokens, { draft, padding: 37 });
      for (const [i, row] of plain.logits.entries()) {
        expect(relativeError(padded.logits[i]!, [...row])).toBeLessThan(2e-5);
      }
      for (const [i, row] of plain.rows.entries())
        expect(relativeError(padded.rows[i]!, [...row])).toBeLessThan(2e-5);
    }
    runner.dispose();
  });
});

describe('buildServingGraph()', () => {
  test('has no is_draft input when nothing is dropped', async () => {
    const { folder } = await openGolden('smollm2-tied');
    const { spec } = buildServingGraph(folder, { dropped: [] });
    expect(spec.inputs.isDraft).toBeNull();
    expect(spec.draftSlots).toEqual([0, 1, 2, 3, 4, 5]);
    expect(servingGraph(folder, { dropped: [] }).inputs.map((input) => input.name)).not.toContain('is_draft');
  });

  test('names the slots that a draft writes', async () => {
    const { folder } = await openGolden('smollm2-tied');
    const { spec } = buildServingGraph(folder, {
      dropped: [
        { layer: 1, block: 'attn' },
        { layer: 2, block: 'mlp' },
      ],
    });
    expect(spec.draftSlots).toEqual([0, 2, 3, 4, 5]);
  });

  test('has no reduced vocabulary without a head of its own', async () => {
    const { folder } = await openGolden('smollm2-tied');
    const plan = { dropped: [{ layer: 1, block: 'attn' }], vocabulary: [1, 2] } as const;
    expect(() => buildServingGraph(folder, plan)).toThrow('needs a rounded head');
  });

  test('gives the same bytes every time, small ones', async () => {
    const { folder } = await openGolden('qwen3-v5config');
    const plan = { dropped: listUnits(folder.config.numLayers) };
    const first = buildServingGraph(folder, plan).bytes;
    expect(buildServingGraph(folder, plan).bytes).toEqual(first);
    expect(first.length).toBeLessThan(200_000);
  });

  test('a change of the graph shows in its digest', async () => {
    const { folder } = await openGolden('smollm2-tied');
    const digest = digestGraph(servingGraph(folder, { dropped: [{ layer: 1, block: 'attn' }] }));
    expect(digestGraph(servingGraph(folder, { dropped: [{ layer: 1, block: 'mlp' }] }))).not.toBe(digest);
    expect(digest).toMatchSnapshot();
  });
});
