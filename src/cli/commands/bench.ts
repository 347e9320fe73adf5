import { snakeKeys } from '../../artifact/case.ts';
import { describeThreads } from '../../artifact/index.ts';
import { DEFAULT_SPECULATION } from '../../engine/index.ts';
import { median } from '../../lib/median.ts';
import { type Benchmark, runBenchmark } from '../../measure/benchmark.ts';
import { describeMachine } from '../../measure/machine.ts';
import { type MessagingOptions, measureMessaging } from '../../measure/messaging.ts';
import { SHAPES } from '../../measure/shape/index.ts';
import { encodeWorkload, WORKLOADS } from '../../measure/workloads.ts';
import { startEngineWorker } from '../../worker/index.ts';
import { benchShape, threadSettings } from '../bench-shape.ts';
import { type Command, defineCommand, exactlyOne, jsonFlag } from '../command.ts';
import { parseRuntime, runtimeFlags } from '../generation-flags.ts';
import { type OpenModel, openModel } from '../model.ts';
import { drawTable } from '../table.ts';
import { parseNumber } from '../values.ts';

const command: Command = defineCommand({
  args: {
    dir: { type: 'positional', required: false, description: 'An artifact; not with --shape' },
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
      description: 'Runs of each prompt with and without, or measurements with --shape; default 5',
    },
    shape: {
      type: 'string',
      valueHint: 'NAME|FILE',
      description: `Predict for a model of this shape, without its weights: ${Object.keys(SHAPES).join(', ')} or a config.json`,
    },
    ...runtimeFlags,
    json: {
      ...jsonFlag,
      description:
        'Print {machine, rows, costs, shares, settings} ({machine, shape, target, drafts, best, settings} with --shape) as one line of JSON after the table',
    },
  },
  details: `
Runs six kinds of prompts at temperatures 0 and 0.7 with speculation on and off, in turns within this process, the order
reversed each round. A ratio is plain time over speculative time, the median over the rounds; above 1, speculation is faster.
Whole generations are timed, prompt included, and end tokens are ignored. Under the table: what single steps cost, where the
time of the rounds went, and, of generations with the engine in a thread of its own as in a server, the share in which it is
in no round (messages).

With --shape, random weights of the shape are written into a temporary folder, and the steps of the target and of drafts at
every precision and several depths are timed, with all tokens to propose and with an eighth of them. From these costs follows
the speed over plain decoding for any acceptance rate, at the best draft length. How often such a draft of a real model is
accepted, only sdfp build on its weights can tell.`,
  async run(args, context) {
    exactlyOne(['an artifact', '--shape'], [args.dir, args.shape]);
    if (args.shape !== undefined) return benchShape({ ...args, shape: args.shape }, context);
    const { signal, terminal } = context;
    const draftLength = parseNumber('draft-tokens', args['draft-tokens'], { min: 0, max: 16, isWhole: true });
    const tokens = parseNumber('tokens', args.tokens ?? '96', { min: 2, isWhole: true });
    const rounds = parseNumber('rounds', args.rounds ?? '5', { min: 1, isWhole: true });
    await using model = await openModel(args.dir!, parseRuntime(args), args.draft);
    const speculation = { ...DEFAULT_SPECULATION, draftLength };
    terminal.progress.start('bench');
    const benchmark = await runBenchmark({
      engine: model.engine,
      text: model.text,
      temperatures: [0, 0.7],
      tokens,
      rounds,
      speculation,
      signal,
      onProgress: (detail, share) => terminal.progress.update({ detail, share }),
    });
    terminal.progress.update({ detail: 'messages between threads', share: 1 });
    const messaging = await measureWorker(model, { tokens, speculation, signal });
    terminal.progress.finish();
    terminal.write(draw(benchmark, messaging, model));
    if (args.json) {
      const settings = { tokens, rounds, draft: model.draft, ...threadSettings(model.threads) };
      terminal.writeJson({ ...toJson(benchmark, messaging), settings });
    }
  },
});
export default command;

/** Share of messages in the time of a generation where the engine runs in a worker, as it does in a server. */
async function measureWorker(
  { engine, engineOptions, text }: OpenModel,
  options: Pick<MessagingOptions, 'tokens' | 'speculation' | 'signal'>,
): Promise<number> {
  // The worker's copy would otherwise share memory and cores with this one.
  await engine.dispose();
  options.signal?.throwIfAborted();
  const worker = await startEngineWorker(engineOptions);
  try {
    return await measureMessaging({
      ...options,
      engine: worker,
      prompts: encodeWorkload(WORKLOADS[0]!, text),
    });
  } finally {
    await worker.dispose();
  }
}

function draw({ rows, costs, shares }: Benchmark, messaging: number, { engine, threads }: OpenModel): string {
  const { hasDraft } = engine.info;
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
steps: ${hasDraft ? `draft ${costs.draftMs.toFixed(2)} ms, the first of a round ${(costs.draftStartMs + costs.draftMs).toFixed(2)} ms; ` : ''}target by new tokens ${costs.targetMs.map((ms) => ms.toFixed(2)).join(' ')} ms
time: sessions ${percent(shares.session)}, feeds and KV cache ${percent(shares.feeds)}, sampling ${percent(shares.sampling)}, other ${percent(shares.other)}; JavaScript ${percent(1 - shares.session)}
messages: ${percent(messaging)} of a generation's time, with the engine in a worker as in a server
machine: ${cpu}, ${cores} cores, ${os}, ${runtime}; batch 1, ${describeThreads(threads)}
`;
}

function toJson({ rows, costs, shares }: Benchmark, messaging: number): object {
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
    costs: { draft_ms: costs.draftMs, draft_start_ms: costs.draftStartMs, target_ms: costs.targetMs },
    shares: { ...shares, javascript: 1 - shares.session, messaging },
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
