import { type Evaluation, evaluateSequences } from '../../fit/index.ts';
import { type Command, defineCommand, jsonFlag } from '../command.ts';
import { readTarget } from '../model.ts';
import { parseUnits, readIdsFile } from '../values.ts';

const command: Command = defineCommand({
  args: {
    dir: {
      type: 'positional',
      required: true,
      description: 'A model folder, or an artifact: the model that it serves',
    },
    ids: {
      type: 'string',
      required: true,
      valueHint: 'FILE.json',
      description: 'Sequences of token ids, [[1, 2, 3], ...], each used as given',
    },
    drop: {
      type: 'string',
      valueHint: '3,5.attn,7.mlp',
      description: 'Layers and blocks to leave out; positions do not change',
    },
    json: jsonFlag,
  },
  details: `
With --json one line: {nll_sum, tokens, last_logits, agreement}
  nll_sum      negative log likelihood in nats, summed over the predicted tokens: all but the first of each sequence
  last_logits  per sequence the logits at its last position
  agreement    share of all positions whose most likely next token is the whole model's; 1 without --drop`,
  async run(args, { signal, terminal }) {
    const sequences = await readIdsFile('ids', args.ids);
    const folder = await readTarget(args.dir);
    const units = args.drop === undefined ? [] : parseUnits('drop', args.drop, folder.config.numLayers);
    const dropped = units.map(({ layer, block }) => `${layer}.${block}`);
    terminal.progress.start('Evaluating');
    const evaluation = await evaluateSequences(folder, sequences, {
      dropped,
      signal,
      onProgress: (share) => terminal.progress.update({ share }),
    });
    terminal.progress.finish(`${sequences.length} sequences`);
    if (args.json) terminal.writeJson(toWire(evaluation));
    else terminal.write(`${describe(evaluation, dropped)}\n`);
  },
});
export default command;

function toWire({ nllSum, tokens, lastLogits, agreement }: Evaluation): object {
  return {
    nll_sum: nllSum,
    tokens,
    last_logits: lastLogits.map((logits) => [...logits]),
    agreement,
  };
}

function describe({ nllSum, tokens, agreement }: Evaluation, dropped: readonly string[]): string {
  const perToken = nllSum / tokens;
  return [
    `dropped     ${dropped.length === 0 ? 'nothing' : dropped.join(', ')}`,
    `nll         ${nllSum.toFixed(4)} nats over ${tokens} predicted tokens`,
    `per token   ${perToken.toFixed(4)} nats, perplexity ${Math.exp(perToken).toFixed(2)}`,
    `agreement   ${agreement.toFixed(4)} of positions with the whole model`,
  ].join('\n');
}
