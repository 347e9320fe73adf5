import { snakeKeys } from '../../artifact/case.ts';
import { DEFAULT_SPECULATION } from '../../engine/index.ts';
import { median } from '../../lib/median.ts';
import { type Benchmark, runBenchmark } from '../../measure/benchmark.ts';
import { describeMachine } from '../../measure/machine.ts';
import { type Command, defineCommand, jsonFlag } from '../command.ts';
import { parseRuntime, runtimeFlags } from '../generation-flags.ts';
import { openModel } from '../model.ts';
import { drawTable } from '../table.ts';
import { parseNumber } from '../values.ts';

const command: Command = defineCommand({
  args: {
    dir: { type: 'positional', required: true, description: 'An artifact' },
    draft: {
      type: 'string',
      valueHint: 'NAME',
      description: 'A draft of the artifact; default: the served one',
    },
    'draft-tokens': {
      type: 'string',
      valueHint: 'N',
      description: 'Draft length of every round; default: chosen by the engine, 0 included',
    },
    tokens: { type: 'string', valueHint: 'N', description: 'Tokens per prompt; default 96' },
    rounds: {
      type: 'string',
      valueHint: 'N',
      description: 'Runs of each prompt with and without; default 5',
    },
    ...runtimeFlags,
    json: {
      ...jsonFlag,
      description: 'Print {machine, rows, costs, shares} as one line of JSON after the table',
    },
  },
  details: `
Runs five kinds of prompts at temperatures 0 and 0.7 with speculation on and off, in turns within this process, the order
reversed each round. A ratio is plain time over speculative time, the median over the rounds; above 1, speculation is faster.
Whole generations are timed, prompt included, and end tokens are ignored.`,
  async run(args, { signal, terminal }) {
    const draftLength = parseNumber('draft-tokens', args['draft-tokens'], { min: 0, max: 16, isWhole: true });
    const tokens = parseNumber('tokens', args.tokens ?? '96', { min: 2, isWhole: true });
    const rounds = parseNumber('rounds', args.rounds ?? '5', { min: 1, isWhole: true });
    await using model = await openModel(args.dir, parseRuntime(args), args.draft);
    terminal.progress.start('bench');
    const benchmark = await runBenchmark({
      engine: model.engine,
      text: model.text,
      temperatures: [0, 0.7],
      tokens,
      rounds,
      speculation: { ...DEFAULT_SPECULATION, draftLength },
      signal,
      onProgress: (detail, share) => terminal.progress.update({ detail, share }),
    });
    terminal.progress.finish();
    terminal.write(draw(benchmark, model.engine.info.hasDraft));
    if (args.json)
      terminal.writeJson({ ...toJson(benchmark), settings: { tokens, rounds, draft: model.draft } });
  },
});
export default command;

function draw({ rows, costs, shares }: Benchmark, hasDraft: boolean): string {
  const table = drawTable(
    ['workload', 'T', 'plain tok/s', 'tok/s', 'ratio', 'tokens/round', 'accepted', 'same text'],
    rows.map(({ workload, temperature, comparison: c }) => [
      workload,
      String(temperature),
      c.plainTokensPerSecond.toFixed(1),
      c.tokensPerSecond.toFixed(1),
      c.ratio.toFixed(3),
      c.acceptanceLength.toFixed(2),
      percent(c.acceptanceRate),
      c.textsEqual ? 'yes' : 'NO',
    ]),
  );
  const ratios = rows.map(({ comparison }) => comparison.ratio);
  const { cpu, cores, os, runtime } = describeMachine();
  return `${table}
median ratio ${median(ratios).toFixed(3)}, lowest ${Math.min(...ratios).toFixed(3)}${hasDraft ? '' : ' (the artifact serves no draft: prompt lookup alone speculates)'}
steps: ${hasDraft ? `draft ${costs.draftMs.toFixed(2)} ms; ` : ''}target by new tokens ${costs.targetMs.map((ms) => ms.toFixed(2)).join(' ')} ms
time: sessions ${percent(shares.session)}, feeds and KV cache ${percent(shares.feeds)}, sampling ${percent(shares.sampling)}, other ${percent(shares.other)}; JavaScript ${percent(1 - shares.session)}
machine: ${cpu}, ${cores} cores, ${os}, ${runtime}; batch 1
`;
}

function toJson({ rows, costs, shares }: Benchmark): object {
  return {
    machine: snakeKeys(describeMachine()),
    rows: rows.map(({ workload, temperature, comparison: c }) => ({
      workload,
      temperature,
      ratio: c.ratio,
      ratios: c.ratios,
      plain_tokens_per_second: c.plainTokensPerSecond,
      tokens_per_second: c.tokensPerSecond,
      acceptance_length: c.acceptanceLength,
      acceptance_rate: c.acceptanceRate,
      texts_equal: c.textsEqual,
    })),
    costs: { draft_ms: costs.draftMs, target_ms: costs.targetMs },
    shares: { ...shares, javascript: 1 - shares.session },
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
