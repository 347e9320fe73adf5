import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { writeArtifact } from '../../../src/artifact/index.ts';
import { buildServingGraph } from '../../../src/graph/serving.ts';
import { readModelFolder } from '../../../src/hf/index.ts';
import { exampleContent, temporaryFolder } from '../../artifact/example.ts';
import { GOLDEN_MODELS, goldenDir, readGolden } from '../../golden/models.ts';
import { runSdfp } from '../run.ts';

interface Output {
  readonly ids: number[];
  readonly text: string;
  readonly finish_reason: string;
  readonly seed: number;
  readonly metrics: { readonly speculative_decoding: { readonly num_draft_tokens: number } };
}

function generate(dir: string, ...flags: string[]): Output {
  const { status, stdout, stderr } = runSdfp(['generate', dir, '--json', ...flags]);
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

describe('sdfp generate MODEL_DIR', () => {
  test.each([...GOLDEN_MODELS])('continues %s greedily as the reference does', (name) => {
    const golden = readGolden(name);
    const flags = ['--prompt-ids', golden.prompt_ids.join(','), '--max-tokens', '48', '--temperature', '0'];
    expect(generate(goldenDir(name), ...flags).ids).toEqual([...golden.greedy]);
  });

  test('--prompt and --prompt-ids of the same text agree, and text is what is streamed', () => {
    const { prompt, prompt_ids } = readGolden('smollm2-tied');
    const flags = ['--max-tokens', '12', '--seed', '4', '--temperature', '1', '--no-speculation'];
    const byText = generate(goldenDir('smollm2-tied'), '--prompt', prompt, ...flags);
    const byIds = generate(goldenDir('smollm2-tied'), '--prompt-ids', prompt_ids.join(','), ...flags);
    expect(byIds.ids).toEqual(byText.ids);
    expect([byText.seed, byText.finish_reason]).toEqual([4, 'length']);
    const { stdout, stderr } = runSdfp(['generate', goldenDir('smollm2-tied'), '--prompt', prompt, ...flags]);
    expect(stdout).toBe(`${byText.text}\n`);
    expect(stderr).toMatch(
      /^\d+ prompt tokens in \d+ ms; 12 tokens at [\d.]+ tokens\/s; no drafts; ended by length; seed 4\n$/,
    );
  });

  test('takes the sampling defaults of the folder, and another seed each time', () => {
    const stories = new URL('../../../artifacts/stories', import.meta.url).pathname;
    const flags = ['--prompt', 'Once upon a time', '--max-tokens', '24'];
    const [first, second] = [generate(stories, ...flags), generate(stories, ...flags)];
    expect(first.seed).not.toBe(second.seed);
    expect(first.text).not.toBe(second.text);
    const again = generate(
      stories,
      ...flags,
      '--seed',
      String(first.seed),
      '--temperature',
      '0.7',
      '--top-p',
      '0.95',
    );
    expect(again.text).toBe(first.text);
  });

  test('refuses flags before it loads anything', () => {
    const cases: [string[], RegExp][] = [
      [['--temperature', '-1'], /--temperature is "-1", needs a number from 0 to 100/],
      [['--top-p', '1.5'], /--top-p/],
      [['--seed', '4294967296'], /--seed is "4294967296", needs a whole number from 0 to 4294967295/],
      [['--max-tokens', '0'], /--max-tokens/],
      [['--draft-tokens', '17'], /--draft-tokens is "17", needs a whole number from 1 to 16/],
      [['--provider', 'tpu'], /provider.*cpu, cuda, webgpu/],
    ];
    for (const [flags, message] of cases) {
      const { status, stderr } = runSdfp(['generate', '/nowhere', '--prompt', 'x', ...flags]);
      expect(stderr).toMatch(message);
      expect(status).toBe(2);
    }
  });

  test('refuses token ids beyond the vocabulary and a prompt beyond the context', () => {
    const unknown = runSdfp(['generate', goldenDir('smollm2-tied'), '--prompt-ids', '1,999999']);
    expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('999999')]);
    const stories = new URL('../../../artifacts/stories', import.meta.url).pathname;
    const long = runSdfp(['generate', stories, '--prompt-ids', new Array(600).fill(1).join(',')]);
    expect([long.status, long.stderr]).toEqual([2, expect.stringContaining('600 tokens')]);
  });
});

test('sdfp generate ARTIFACT drafts, and its text is that of the bare model', async () => {
  await using root = await temporaryFolder();
  const folder = await readModelFolder(goldenDir('smollm2-tied'));
  const dropped = [
    { layer: 2, block: 'mlp' },
    { layer: 4, block: 'attn' },
  ] as const;
  const target = buildServingGraph(folder, { dropped: [] });
  const draft = buildServingGraph(folder, { dropped });
  const names = Array.from({ length: 6 }, (_, layer) => [`${layer}.attn`, `${layer}.mlp`]).flat();
  const { dir } = await writeArtifact(join(root.path, 'artifact'), {
    modelDir: folder.dir,
    sourceFiles: folder.files,
    graphs: [
      { name: 'graph.onnx', bytes: target.bytes },
      { name: 'graph.drop-2.onnx', bytes: draft.bytes },
    ],
    content: {
      ...exampleContent,
      model: folder.config,
      generation: folder.generation,
      scores: {
        method: 'last',
        units: names.map((name, score) => ({ name, score })),
        layers: [0, 1, 2, 3, 4, 5],
        matrix: null,
      },
      drafts: [
        {
          name: 'drop-2',
          dropped,
          keptShare: 0.8,
          graph: 'graph.drop-2.onnx',
          isDraft: draft.spec.inputs.isDraft,
          slots: draft.spec.draftSlots,
        },
      ],
      engine: target.spec,
      measured: { ...exampleContent.measured!, servedDraft: 'drop-2', candidates: [] },
    },
  });
  const flags = ['--prompt-ids', '5,6,7', '--max-tokens', '40', '--temperature', '0.8', '--seed', '9'];
  const bare = generate(folder.dir, ...flags);
  const drafted = generate(dir, ...flags, '--draft-tokens', '3');
  const plain = generate(dir, ...flags, '--no-speculation');
  expect(drafted.metrics.speculative_decoding.num_draft_tokens).toBeGreaterThan(10);
  expect(plain.metrics.speculative_decoding.num_draft_tokens).toBe(0);
  expect([drafted.ids, plain.ids]).toEqual([bare.ids, bare.ids]);
  expect(runSdfp(['inspect', dir, '--full']).stdout).toContain('draft: drop-2 skips 2 of 12 blocks');
});
