import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, type ParsedArgs, parseArgs } from 'citty';
import { isSdfpError, SdfpError } from '../lib/errors.ts';
import { usageError } from './errors.ts';
import { refuseLooseArguments } from './strict.ts';
import type { Terminal } from './terminal.ts';

/** What a command works with besides its arguments. */
export interface CommandContext {
  /** Aborted by Ctrl-C, SIGTERM and a closed pipe. */
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** A subcommand of `sdfp`: flags in citty's terms, and what to do. Each file in `commands/` exports one as `default`. */
export interface Command {
  readonly args: ArgsDef;
  /** Printed under the flags by --help. */
  readonly details: string;
  run(rawArgs: readonly string[], context: CommandContext): Promise<void>;
}

/** Makes a {@linkcode Command}: arguments are checked strictly and typed by their definitions. */
export function defineCommand<const Args extends ArgsDef>(definition: {
  readonly args: Args;
  readonly details?: string;
  readonly run: (args: ParsedArgs<Args>, context: CommandContext) => Promise<void>;
}): Command {
  const { args, details = '', run } = definition;
  return {
    args,
    details,
    async run(rawArgs, context) {
      refuseLooseArguments(rawArgs, args);
      await run(parse<Args>(rawArgs, args), context);
    },
  };
}

function parse<Args extends ArgsDef>(rawArgs: readonly string[], args: Args): ParsedArgs<Args> {
  try {
    return parseArgs<Args>([...rawArgs], args);
  } catch (error) {
    if (isSdfpError(error) || !(error instanceof Error)) throw error;
    // citty's own errors are about arguments too: a missing one, a value that is not on the list.
    const message = stripVTControlCharacters(error.message);
    throw new SdfpError('invalid_request', message.charAt(0).toLowerCase() + message.slice(1), {
      cause: error,
    });
  }
}

/** The flag that every command has. */
export const jsonFlag: { readonly type: 'boolean'; readonly description: string } = {
  type: 'boolean',
  description: 'Print one line of JSON instead of text',
};

/** Refuses two flags of which exactly one is needed. */
export function exactlyOne(names: readonly string[], values: readonly (string | undefined)[]): void {
  const given = names.filter((_, index) => values[index] !== undefined);
  if (given.length === 1) return;
  const found = given.length === 0 ? 'neither' : given.join(' and ');
  throw usageError(`found ${found}, needs exactly one of ${names.join(' and ')}`, names[0]?.slice(2));
}
