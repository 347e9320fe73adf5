import { parseArgs } from 'node:util';
import type { ArgDef, ArgsDef } from 'citty';
import { suggestion } from '../lib/nearest.ts';
import { usageError } from './errors.ts';

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/** Whether -h or --help is among the arguments, as a flag of its own and not as the value of another. */
export function wantsHelp(rawArgs: readonly string[], args: ArgsDef): boolean {
  return tokenize(rawArgs, args).some((token) => token.kind === 'option' && token.name === 'help');
}

/**
 * Refuses what citty lets through: unknown flags, flags without their value, booleans with a value, arguments too many.
 * Throws SdfpError `invalid_request`.
 */
export function refuseLooseArguments(rawArgs: readonly string[], args: ArgsDef): void {
  const tokens = tokenize(rawArgs, args);
  for (const token of tokens) if (token.kind === 'option') refuseLooseOption(token, args);
  const positionals = tokens.filter((token) => token.kind === 'positional');
  const allowed = Object.values(args).filter(({ type }) => type === 'positional').length;
  const surplus = positionals[allowed];
  if (surplus !== undefined) {
    throw usageError(`found the argument ${JSON.stringify(surplus.value)} after the last one that is known`);
  }
}

function refuseLooseOption(token: OptionToken, args: ArgsDef): void {
  const { definition, isNegated } = lookUp(token.name, args);
  if (definition === undefined) {
    throw usageError(
      `unknown flag ${token.rawName}${suggestion(token.rawName, listFlags(args))}`,
      token.name,
    );
  }
  const flag = token.rawName;
  if (definition.type === 'boolean') {
    const isFine = token.value === undefined || (!isNegated && ['true', 'false'].includes(token.value));
    if (!isFine) throw usageError(`${flag} takes no value, found ${JSON.stringify(token.value)}`, token.name);
  } else if (token.value === undefined || token.value === '') {
    throw usageError(`${flag} needs a value`, token.name);
  } else if (!token.inlineValue && token.value.startsWith('--')) {
    // `--out --json` is a forgotten value; who means it writes `--out=--json`.
    throw usageError(
      `${flag} needs a value, found the flag ${token.value} (write ${flag}=VALUE if it is one)`,
      token.name,
    );
  }
}

function lookUp(
  name: string,
  args: ArgsDef,
): { readonly definition: ArgDef | undefined; readonly isNegated: boolean } {
  const own = ownDefinition(name, args);
  if (own !== undefined) return { definition: own, isNegated: false };
  const positive = name.startsWith('no-') ? ownDefinition(name.slice(3), args) : undefined;
  const canNegate = positive?.type === 'boolean' && positive.default === true;
  return { definition: canNegate ? positive : undefined, isNegated: true };
}

function ownDefinition(name: string, args: ArgsDef): ArgDef | undefined {
  if (!Object.hasOwn(args, name)) return undefined;
  return args[name]?.type === 'positional' ? undefined : args[name];
}

function listFlags(args: ArgsDef): string[] {
  const flags = Object.entries(args).filter(([, { type }]) => type !== 'positional');
  return [
    '--help',
    ...flags.map(([name, { type, default: value }]) =>
      type === 'boolean' && value === true ? `--no-${name}` : `--${name}`,
    ),
  ];
}

function tokenize(rawArgs: readonly string[], args: ArgsDef): Token[] {
  const options: Record<string, { readonly type: 'boolean' | 'string'; readonly short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, { type }] of Object.entries(args)) {
    if (type !== 'positional') options[name] = { type: type === 'boolean' ? 'boolean' : 'string' };
  }
  const { tokens } = parseArgs({
    args: [...rawArgs],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens;
}
