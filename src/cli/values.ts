import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { messageOf } from '../lib/errors.ts';
import { explainSystemError } from '../lib/system-error.ts';
import { listUnitNames, parseUnit } from '../lib/units.ts';
import type { Unit } from '../plan/types.ts';
import { usageError } from './errors.ts';

/** Bounds of a number flag, both inclusive. */
export interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
  readonly isWhole?: boolean;
}

/** The number in `--flag TEXT`; undefined where the flag was not given. Throws SdfpError `invalid_request` with the bounds. */
export function parseNumber(flag: string, text: string, bounds: NumberBounds): number;
export function parseNumber(flag: string, text: string | undefined, bounds: NumberBounds): number | undefined;
export function parseNumber(
  flag: string,
  text: string | undefined,
  bounds: NumberBounds,
): number | undefined {
  if (text === undefined) return undefined;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, isWhole = false } = bounds;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max && (!isWhole || Number.isSafeInteger(value))) return value;
  throw usageError(`--${flag} is ${JSON.stringify(text)}, needs ${describeBounds(bounds)}`, flag);
}

function describeBounds({ min, max, isWhole = false }: NumberBounds): string {
  const kind = isWhole ? 'a whole number' : 'a number';
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  if (min !== undefined) return `${kind} from ${min} up`;
  return max === undefined ? kind : `${kind} up to ${max}`;
}

/** Token ids in `--flag 1,2,3`. */
export function parseIds(flag: string, text: string): number[] {
  return text.split(',').map((part) => {
    const id = part.trim();
    if (/^\d{1,9}$/.test(id)) return Number(id);
    throw usageError(`--${flag} has the entry ${JSON.stringify(id)}, needs token ids as in 1,2,3`, flag);
  });
}

const IdsFile = v.pipe(
  v.array(
    v.pipe(
      v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
      v.nonEmpty('is empty, needs at least one id'),
    ),
  ),
  v.nonEmpty('has no sequence, needs at least one'),
);

/** Sequences of token ids in a file `[[ids], ...]`. Throws SdfpError `invalid_request` that says where the file is wrong. */
export async function readIdsFile(flag: string, path: string): Promise<number[][]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw usageError(`--${flag}: ${path} cannot be read: ${explainSystemError(cause)}`, flag);
  });
  const result = v.safeParse(IdsFile, parseJson(flag, path, text));
  if (result.success) return result.output;
  const [issue] = result.issues;
  const at = v.getDotPath(issue);
  const where = at === null ? '' : ` at ${at.replaceAll('.', ', entry ').replace(/^/, 'sequence ')}`;
  throw usageError(
    `--${flag}: ${path}${where}: ${issue.message}; the file needs the form [[1, 2, 3], ...]`,
    flag,
  );
}

function parseJson(flag: string, path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text.trim() === '' ? 'is empty' : `is not JSON (${messageOf(cause)})`;
    throw usageError(`--${flag}: ${path} ${found}; the file needs the form [[1, 2, 3], ...]`, flag);
  }
}

/** Units in `--flag 3,5.attn,7.mlp` (a bare layer means both of its blocks), each once, in order of layers. */
export function parseUnits(flag: string, text: string, numLayers: number): Unit[] {
  const named = new Set(text.split(',').flatMap((part) => unitNames(flag, part.trim(), numLayers)));
  return listUnitNames(numLayers).flatMap((name) => (named.has(name) ? (parseUnit(name) ?? []) : []));
}

function unitNames(flag: string, part: string, numLayers: number): string[] {
  const names = /^\d+$/.test(part) ? [`${Number(part)}.attn`, `${Number(part)}.mlp`] : [part];
  for (const name of names) {
    const unit = parseUnit(name);
    if (unit !== undefined && unit.layer < numLayers) continue;
    throw usageError(
      `--${flag} has the entry ${JSON.stringify(part)}, needs layers or blocks as in 3,5.attn,7.mlp with layers 0 to ${numLayers - 1}`,
      flag,
    );
  }
  return names;
}
