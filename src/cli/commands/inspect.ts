import type { Manifest } from '../../artifact/index.ts';
import { manifestToWire } from '../../artifact/manifest.ts';
import { openArtifact } from '../../artifact/open.ts';
import { manifestJsonSchema } from '../../schema.ts';
import { type Command, defineCommand, jsonFlag } from '../command.ts';
import { usageError } from '../errors.ts';
import { drawNumbers, drawPlan } from '../picture.ts';

const command: Command = defineCommand({
  args: {
    dir: { type: 'positional', required: false, description: 'An artifact' },
    full: { type: 'boolean', description: 'Hash every file; without, sizes and files under 1 MB' },
    schema: { type: 'boolean', description: 'Print the JSON Schema of manifest.json and nothing else' },
    json: { ...jsonFlag, description: 'Print the manifest as one line of JSON' },
  },
  details: `
The picture has one line per layer: its attention and its MLP block, each with its score. A low score means that skipping
the block changes little of what the model says; the draft skips the blocks in [brackets] and computes those marked int8 or
int4 with rounded weights, those marked a8 with the weights of a model of int4 and activations rounded to 8 bits.`,
  async run(args, { terminal }) {
    if (args.schema)
      return terminal.write(`${JSON.stringify(manifestJsonSchema(), null, args.json ? 0 : 2)}\n`);
    if (args.dir === undefined) throw usageError('missing required positional argument: DIR', 'dir');
    const { manifest } = await openArtifact(args.dir, { verify: args.full ? 'full' : 'fast' });
    if (args.json) return terminal.writeJson(manifestToWire(manifest));
    const verified = describeVerification(manifest, args.full === true);
    terminal.write(`${drawPlan(manifest, terminal.paint)}\n\n${drawNumbers(manifest)}\n${verified}\n`);
  },
});
export default command;

/** What {@linkcode openArtifact} has compared with the manifest by the time it returns. */
function describeVerification({ files }: Manifest, isFull: boolean): string {
  const hashed = files.filter(({ checkedFast }) => isFull || checkedFast).length;
  if (hashed === files.length) return `verified     all ${files.length} files: sizes and hashes match`;
  return `verified     ${files.length} files: all sizes and the hashes of ${hashed} small ones match; --full compares the rest`;
}
