import { basename, resolve } from 'node:path';
import { servedDraft } from '../../artifact/index.ts';
import { manifestToWire } from '../../artifact/manifest.ts';
import { type BakeProgress, bake } from '../../bake.ts';
import { isMethodName, methodNames } from '../../fit/index.ts';
import { readPeakRssBytes } from '../../lib/memory.ts';
import { type Command, defineCommand, jsonFlag } from '../command.ts';
import { usageError } from '../errors.ts';
import { drawNumbers, drawPlan } from '../picture.ts';
import type { Progress } from '../progress.ts';
import { parseNumber } from '../values.ts';

const STAGES: Record<BakeProgress['stage'], string> = {
  read: 'read',
  sample: 'sample',
  calibrate: 'score',
  round: 'round',
  measure: 'measure',
  report: 'report',
  write: 'write',
};

/** Of a rounded target with the model as stored; less is worth a word. */
const SMALLEST_AGREEMENT = 0.9;

const command: Command = defineCommand({
  args: {
    dir: { type: 'positional', required: true, description: 'A Hugging Face model folder' },
    out: {
      type: 'string',
      valueHint: 'DIR',
      description: 'The artifact; default artifacts/NAME of the folder',
    },
    name: { type: 'string', valueHint: 'NAME', description: "Name to serve it under; default the folder's" },
    calibration: {
      type: 'string',
      valueHint: 'FILE',
      description: 'Text to score on (.txt or .jsonl); default: text that the model writes itself',
    },
    copy: {
      type: 'boolean',
      description: "Copy the model's files; default: hard links, which cost no space",
    },
    'draft-memory': {
      type: 'string',
      valueHint: 'BYTES',
      description: 'Most weights that the draft may have of its own; 0: only shared ones; default: no limit',
    },
    keep: {
      type: 'string',
      valueHint: 'SHARE',
      description: 'For experts: share of the blocks that the draft keeps, 0 to 1; default: the fastest here',
    },
    method: {
      type: 'string',
      valueHint: 'NAME',
      description: `For experts: how blocks are scored, one of ${methodNames.join(', ')}; default fit`,
    },
    report: {
      type: 'boolean',
      default: true,
      description: 'Measure what a reader wants to know beyond it, and write report.html and report.md',
      negativeDescription: 'Leave out report.html and report.md, and the measurements only they need',
    },
    'target-precision': {
      type: 'string',
      valueHint: 'NAME',
      description:
        'Weights that the model itself computes with: stored (the default), or int4: smaller and faster, but another text',
    },
    seed: { type: 'string', valueHint: 'N', description: 'For experts: seed of the sampled text; default 0' },
    json: { ...jsonFlag, description: 'Print the manifest as one line of JSON' },
  },
  details: `
Reads the model, rounds its weights to 8 and 4 bits, scores its attention and MLP blocks by Fisher information, measures on
this machine which draft makes it fastest and with how many threads, and writes the artifact: the model's files, the rounded
weights (about a quarter and a sixth of float32), graphs of under 1 MB each, manifest.json, and a report for people:
report.html and, short, report.md.
Interrupted by Ctrl-C it leaves nothing half-written. The same inputs and seed give the same artifact, but for the
section "measured" of the manifest.
With --target-precision int4 the model itself computes by weights of 4 bits (blocks and output layer; the activations stay
float32), so it is smaller and faster, and says something else than the original: how much else, the build measures and
prints. Scores come from the weights as stored. The artifact then goes without the model's own file; to build or score again
takes the model folder.`,
  async run(args, { signal, terminal }) {
    const { method } = args;
    if (method !== undefined && !isMethodName(method)) {
      throw usageError(
        `--method is ${JSON.stringify(method)}, needs one of ${methodNames.join(', ')}`,
        'method',
      );
    }
    const targetPrecision = args['target-precision'];
    if (targetPrecision !== undefined && targetPrecision !== 'stored' && targetPrecision !== 'int4') {
      throw usageError(
        `--target-precision is ${JSON.stringify(targetPrecision)}, needs stored or int4`,
        'target-precision',
      );
    }
    const startMs = performance.now();
    const { manifest, dir } = await bake({
      modelDir: args.dir,
      outDir: args.out ?? `artifacts/${basename(resolve(args.dir))}`,
      name: args.name,
      method,
      keep: parseNumber('keep', args.keep, { min: 0, max: 1 }),
      draftMemoryBytes: parseNumber('draft-memory', args['draft-memory'], { min: 0, isWhole: true }),
      targetPrecision,
      seed: parseNumber('seed', args.seed, { min: 0, max: 2 ** 32 - 1, isWhole: true }),
      calibrationFile: args.calibration,
      copy: args.copy,
      report: args.report,
      signal,
      onProgress: showProgress(terminal.progress),
    });
    terminal.progress.finish();
    if (args.json) return terminal.writeJson(manifestToWire(manifest));
    terminal.write(`${drawPlan(manifest, terminal.paint)}\n\n${drawNumbers(manifest)}\n`);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
    const peakMb = (readPeakRssBytes() / 1e6).toFixed(0);
    terminal.note(`baked ${dir} in ${seconds} s, peak memory ${peakMb} MB`);
    const { loss } = manifest.target;
    if (loss !== null && loss.agreement < SMALLEST_AGREEMENT) {
      const share = `${(100 * loss.agreement).toFixed(0)} % of positions`;
      terminal.note(`4 bits make another model of it: the same most likely token at ${share} only`);
    }
    if (manifest.target.precision === 'int4' && resolve(dir) === resolve(args.dir)) {
      terminal.note("the model's own weights stay in this folder; the artifact does not need them");
    }
    if (servedDraft(manifest) === undefined) {
      terminal.note(
        'no draft pays on this machine: the artifact is served without; prompt lookup still guesses',
      );
    }
  },
});
export default command;

function showProgress(progress: Progress): (state: BakeProgress) => void {
  let stage: BakeProgress['stage'] | undefined;
  return ({ stage: current, detail, share }) => {
    if (current !== stage) progress.start(STAGES[current]);
    stage = current;
    progress.update({ share, detail });
  };
}
