import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import * as v from 'valibot';
import { SdfpError } from '../lib/errors.ts';
import { findExtras } from './extras.ts';
import { MANIFEST_FILE } from './manifest.ts';
import { SAFE_NAME } from './schema-build.ts';
import { clearStaleTemporaries } from './temporary.ts';

/** Where an artifact goes. `kind`: nothing there yet or an empty folder; an older artifact; the model's own folder. */
export interface Destination {
  /** Absolute, symbolic links resolved. */
  readonly dir: string;
  readonly kind: 'new' | 'replace' | 'in-place';
}

/**
 * Looks at the place before anything is written. Throws SdfpError `invalid_request` where writing would lose something:
 * a folder that is no artifact, an artifact with foreign files in it, a folder around the model.
 */
export async function chooseDestination(outDir: string, modelDir: string): Promise<Destination> {
  const model = await realpath(modelDir);
  const path = resolve(outDir);
  await mkdir(dirname(path), { recursive: true });
  await clearStaleTemporaries(path);
  const dir = existsSync(path) ? await realpath(path) : path;
  if (dir === model) return { dir, kind: 'in-place' };
  if (model.startsWith(dir + sep)) throw refusal(dir, 'the model folder lies inside it and would be lost');
  if (!existsSync(dir)) return { dir, kind: 'new' };
  if (!(await stat(dir)).isDirectory()) throw refusal(dir, 'there is a file of that name');
  if ((await readdir(dir)).length === 0) return { dir, kind: 'new' };
  await refuseForeignFiles(dir);
  return { dir, kind: 'replace' };
}

async function refuseForeignFiles(dir: string): Promise<void> {
  const own = await listOwnFiles(dir);
  if (own === undefined)
    throw refusal(dir, `it is not empty and no artifact (it has no ${MANIFEST_FILE} of sdfp)`);
  for (const entry of await readdir(dir, { recursive: true })) {
    const name = entry.replaceAll(sep, '/');
    if (own.has(name) || (await lstat(join(dir, entry))).isDirectory()) continue;
    throw refusal(dir, `it also holds ${name}, which is no part of the artifact and would be lost`);
  }
}

async function listOwnFiles(dir: string): Promise<ReadonlySet<string> | undefined> {
  const listed = await listManifestFiles(dir);
  if (listed === undefined) return undefined;
  const { own } = await findExtras(dir);
  return new Set([MANIFEST_FILE, ...own, ...listed.map(({ name }) => name)]);
}

const Listing = v.object({
  schema_version: v.number(),
  files: v.array(v.object({ name: v.pipe(v.string(), v.regex(SAFE_NAME)), role: v.string() })),
});

/**
 * Files that the manifest in `dir` lists, names relative to it and never outside of it. The manifest may have any schema
 * version, so that outdated artifacts can be replaced; undefined where there is none that can be understood.
 */
export async function listManifestFiles(
  dir: string,
): Promise<readonly { readonly name: string; readonly role: string }[] | undefined> {
  const text = await readFile(join(dir, MANIFEST_FILE), 'utf8').catch(() => 'null');
  try {
    return v.parse(Listing, JSON.parse(text)).files;
  } catch {
    return undefined;
  }
}

/** A refusal to write, because something would be lost or the place cannot be written to. */
export function refusal(dir: string, why: string, cause?: unknown): SdfpError {
  return new SdfpError(
    'invalid_request',
    `Cannot write the artifact to ${dir}: ${why}; choose another folder`,
    {
      param: 'out',
      cause,
    },
  );
}
