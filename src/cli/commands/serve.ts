import process from 'node:process';
import type { ArgsDef } from 'citty';
import { serve } from '../../serve.ts';
import { loadListen } from '../../server/listen/index.ts';
import { explainSettings, listSettings, readSettings, type SettingsSource } from '../../server/settings.ts';
import { type Command, defineCommand } from '../command.ts';
import { usageError } from '../errors.ts';
import { drawTable } from '../table.ts';

/** Time for what is still on its way to a pipe when everything else is over, in milliseconds. */
const EXIT_MS = 300;

/** `--port`, `--max-queue`, ...: the settings of the environment, in kebab-case. */
function settingFlags(): ArgsDef {
  const flags = listSettings().map(({ flag, variable, description, fallback }) => {
    const help = `${description} (${variable}${fallback === undefined ? '' : `; default ${fallback}`})`;
    return [flag, { type: 'string' as const, description: help }];
  });
  return Object.fromEntries(flags);
}

const command: Command = defineCommand({
  args: {
    dir: { type: 'positional', required: false, description: 'An artifact; the same as --artifact' },
    'print-config': {
      type: 'boolean',
      description: 'Print every setting with its value and where that comes from, and exit',
    },
    ...settingFlags(),
  },
  details: `
Every flag may be given as the environment variable beside it instead. Requests are logged on stdout, one line of JSON
each. The first Ctrl-C or SIGTERM lets running requests finish, the second ends them. Started through npm it also ends
when npm does, however that ends. Without DIR and ARTIFACT it serves artifacts/stories of a clone; the npm package brings
no model: bake one with sdfp build MODEL_DIR --out DIR, then sdfp serve DIR. With OTEL_EXPORTER_OTLP_ENDPOINT (and
OpenTelemetry's other variables) every request is traced; where the packages for that are missing it says which.`,
  async run(args, { signal, terminal }) {
    const flags = Object.fromEntries(listSettings().map(({ flag }) => [flag, toText(args[flag])]));
    if (args.dir !== undefined) flags.artifact = oneArtifact(args.dir, flags.artifact);
    const source = { environment: process.env, flags };
    if (args['print-config'] === true) return terminal.write(drawSettings(source));
    await serve({
      settings: readSettings(source),
      listen: await loadListen(),
      signal,
      log: (line) => terminal.write(`${line}\n`),
      note: (line) => terminal.note(`sdfp: ${line}`),
    });
    // A model that was still loading would hold the process until it is there.
    setTimeout(() => process.exit(0), EXIT_MS).unref();
  },
});
export default command;

/** Errors: usage, if both are given and differ. */
function oneArtifact(dir: string, flag: string | undefined): string {
  if (flag === undefined || flag === dir) return dir;
  throw usageError(`found the artifacts ${dir} and --artifact ${flag}, needs one of them`, 'artifact');
}

function drawSettings(source: SettingsSource): string {
  const rows = explainSettings(source).map(({ variable, from, value }) => [variable, from, value]);
  return drawTable(['setting', 'from', 'value'], rows);
}

/** Flags are text; a default of citty's may be anything. */
function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
