import { findMethod, methodNames, type ScoreResult, scoreSequences } from '../../fit/index.ts';
import { readModelFolder } from '../../hf/index.ts';
import { type Command, defineCommand, jsonFlag } from '../command.ts';
import { parseNumber, readIdsFile } from '../values.ts';

const command: Command = defineCommand({
  args: {
    dir: {
      type: 'positional',
      required: true,
      description: 'A model folder, or an artifact with its weights',
    },
    ids: {
      type: 'string',
      required: true,
      valueHint: 'FILE.json',
      description: 'Calibration sequences of token ids, [[1, 2, 3], ...], each used as given',
    },
    method: {
      type: 'string',
      default: methodNames[0]!,
      valueHint: 'NAME',
      description: `One of ${methodNames.join(', ')}`,
    },
    seed: { type: 'string', default: '0', valueHint: 'S', description: 'Of the method random' },
    json: jsonFlag,
  },
  details: `
A low score means that skipping a block changes little of what the model says. Methods:
  fit        Fisher information of a gate on every block, with the interactions between blocks (the default)
  fit-gate   its diagonal: every block by itself
  fit-trace  trace of the weights' Fisher information times the mean square of the weights
  fit-diag   sum over the weights of (gradient x weight)^2
  cosine     1 - cosine of the residual stream before and after a block
  last       the last layers first
  random     at random, from --seed
Layers are scored as a whole: of fit and fit-gate by a gate on both blocks of a layer together.
With --json one line: {method, units: [{name, score}, ...], layers: [score, ...], matrix?: [[...], ...]}
  matrix     of fit only, in the order of units: 1/2 of its sum over the skipped blocks predicts the divergence`,
  async run(args, { signal, terminal }) {
    const { name: method } = findMethod(args.method);
    const seed = parseNumber('seed', args.seed, { min: 0, max: 2 ** 32 - 1, isWhole: true });
    const sequences = await readIdsFile('ids', args.ids);
    const folder = await readModelFolder(args.dir);
    terminal.progress.start(`Scoring ${folder.config.numLayers} layers by ${method}`);
    const result = await scoreSequences(folder, method, sequences, {
      seed,
      signal,
      onProgress: (done) => terminal.progress.update({ share: done / sequences.length }),
    });
    terminal.progress.finish(`${sequences.length} sequences`);
    // Without rounded weights its options are the units once more.
    const { options: _, ...scores } = result;
    if (args.json) terminal.writeJson(scores);
    else terminal.write(`${drawScores(scores)}\n`);
  },
});
export default command;

/** One line per layer: its score as a whole, and those of its blocks. */
function drawScores({ method, units, layers }: ScoreResult): string {
  const cell = (score: number): string => score.toPrecision(4).padStart(12);
  const rows = layers.map(
    (score, layer) =>
      `${String(layer).padStart(5)}${cell(score)}${cell(units[2 * layer]!.score)}${cell(units[2 * layer + 1]!.score)}`,
  );
  const titles = ['whole', 'attention', 'MLP'].map((title) => title.padStart(12)).join('');
  return [`scores by ${method}; low ones matter least`, `layer${titles}`, ...rows].join('\n');
}
