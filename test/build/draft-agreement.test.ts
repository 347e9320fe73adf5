import { expect, test } from 'bun:test';
import { openAgreementMeter } from '../../src/build/draft-agreement.ts';
import { createEngine, DEFAULT_SAMPLING, DEFAULT_SPECULATION } from '../../src/engine/index.ts';
import { buildServingGraph } from '../../src/graph/index.ts';
import { readModelFolder } from '../../src/hf/index.ts';
import type { Unit } from '../../src/plan/types.ts';
import { goldenDir, readGolden } from '../golden/models.ts';

const folder = await readModelFolder(goldenDir('qwen3-v5config'));
const golden = readGolden('qwen3-v5config');
const text = [...golden.prompt_ids, ...golden.greedy];
const dropped: readonly Unit[] = [
  { layer: 1, block: 'attn' },
  { layer: 1, block: 'mlp' },
  { layer: 2, block: 'mlp' },
];

test('a draft that drops nothing agrees everywhere', async () => {
  const meter = await openAgreementMeter(folder, [text, text.slice(0, 7)]);
  expect(await meter.measure({ dropped: [] })).toBe(1);
});

test('agreement is the share of first draft tokens that the engine accepts', async () => {
  // Behind each beginning of a greedy text, the engine emits the text's next token and drafts the one after it.
  const { bytes: graph, spec } = buildServingGraph(folder, { dropped });
  const engine = await createEngine({ graph, spec, weightsDir: folder.dir, prefixCacheBytes: 0 });
  const isAccepted = async (promptIds: readonly number[]) => {
    const events = engine.generate({
      promptIds,
      maxTokens: 3,
      sampling: { ...DEFAULT_SAMPLING, temperature: 0 },
      speculation: { ...DEFAULT_SPECULATION, draftLength: 1 },
      stopTokenIds: [],
      topLogprobs: undefined,
    });
    const origins: string[] = [];
    for await (const event of events) if (event.type === 'tokens') origins.push(...event.origins);
    return origins[1] === 'draft';
  };
  const start = golden.prompt_ids.length;
  let accepted = 0;
  for (let end = start; end < text.length; end++) if (await isAccepted(text.slice(0, end))) accepted++;
  await engine.dispose();

  const whole = await openAgreementMeter(folder, [text]);
  const prompt = await openAgreementMeter(folder, [golden.prompt_ids]);
  const inWhole = (await whole.measure({ dropped })) * text.length;
  const inPrompt = (await prompt.measure({ dropped })) * start;
  expect(Math.round(inWhole - inPrompt)).toBe(accepted);
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(golden.greedy.length);
});

test('a reduced vocabulary is refused, for the target of an agreement knows all tokens', async () => {
  const meter = await openAgreementMeter(folder, [text]);
  expect(() => meter.measure({ dropped: [], vocabulary: [0] })).toThrow('whole vocabulary');
});

test('a draft of nothing but embedding and head can be measured', async () => {
  const { numLayers } = folder.config;
  const all = Array.from({ length: numLayers }, (_, layer): Unit[] => [
    { layer, block: 'attn' },
    { layer, block: 'mlp' },
  ]).flat();
  const meter = await openAgreementMeter(folder, [text]);
  const agreement = await meter.measure({ dropped: all });
  expect(agreement).toBeGreaterThanOrEqual(0);
  expect(agreement).toBeLessThan(1);
});

test('an abort ends it with its reason', async () => {
  const meter = await openAgreementMeter(folder, [text]);
  const reason = new Error('enough');
  expect(await meter.measure({ dropped }, AbortSignal.abort(reason)).catch((error: unknown) => error)).toBe(
    reason,
  );
});
