import { existsSync, renameSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { VERSION } from '../lib/version.ts';
import { chooseDestination, type Destination, listManifestFiles, refusal } from './destination.ts';
import { type ExtraFile, findExtras } from './extras.ts';
import { describeBytes, describeFile } from './hash.ts';
import { formatManifest, MANIFEST_FILE, ManifestSchema, SCHEMA_VERSION } from './manifest.ts';
import { placeFile, writeDurably } from './place.ts';
import { clearStaleTemporaries, temporaryName } from './temporary.ts';
import type { Artifact, ArtifactFile, Manifest } from './types.ts';
import { writingTo } from './writable.ts';

/** What a build knows; the files' hashes and the versions are added by {@linkcode writeArtifact}. */
export type ManifestContent = Omit<Manifest, 'schemaVersion' | 'sdfpVersion' | 'files'>;

/** All that an artifact is made of. */
export interface ArtifactParts {
  readonly modelDir: string;
  /** Names relative to `modelDir`: weights, config, tokenizer, template. */
  readonly sourceFiles: readonly string[];
  /** Serialized ONNX graphs by file name; their external data names files of `sourceFiles` and `weights`. */
  readonly graphs: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Rounded weights that the build wrote to `path`, by their name in the artifact. They are linked or copied. */
  readonly weights?: readonly { readonly name: string; readonly path: string }[];
  readonly content: ManifestContent;
  /** Files for people, made once the manifest is known; it does not list them. */
  readonly extras?: (manifest: Manifest) => Promise<readonly ExtraFile[]>;
}

/** How to write. */
export interface WriteOptions {
  /** Copy the model's files instead of hard-linking them. A link costs no space, but shares later edits with the original. */
  readonly copy?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Writes the artifact to `outDir`, whole or not at all: it grows in a hidden folder beside it and is renamed when complete,
 * so that an interrupted build leaves what was there before. `outDir` may be missing, empty, an older artifact (replaced)
 * or the model folder itself (graph and manifest are added to it).
 * Throws SdfpError `invalid_request` where writing would lose something or is not possible, and the signal's reason when aborted.
 */
export function writeArtifact(
  outDir: string,
  parts: ArtifactParts,
  options: WriteOptions = {},
): Promise<Artifact> {
  return writingTo(outDir, async () => {
    const destination = await chooseDestination(outDir, parts.modelDir);
    return destination.kind === 'in-place'
      ? writeInPlace(destination.dir, parts, options)
      : writeFolder(destination, parts, options);
  });
}

async function writeFolder(
  { dir, kind }: Destination,
  parts: ArtifactParts,
  options: WriteOptions,
): Promise<Artifact> {
  const temporary = temporaryName(dir);
  await mkdir(temporary);
  try {
    for (const name of parts.sourceFiles) {
      options.signal?.throwIfAborted();
      await placeFile(join(parts.modelDir, name), join(temporary, name), options.copy ?? false);
    }
    for (const { name, path } of parts.weights ?? []) await placeFile(path, join(temporary, name), false);
    for (const { name, bytes } of parts.graphs) await writeDurably(join(temporary, name), bytes);
    const manifest = await describe(temporary, parts, options.signal);
    await writeDurably(join(temporary, MANIFEST_FILE), manifest);
    const readable = readBack(manifest);
    for (const { name, bytes } of (await parts.extras?.(readable)) ?? []) {
      await writeDurably(join(temporary, name), bytes);
    }
    options.signal?.throwIfAborted();
    await moveIntoPlace(temporary, dir, kind);
    return { dir, manifest: readable };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Synchronous renames: no interrupt is handled between them. */
async function moveIntoPlace(temporary: string, dir: string, kind: Destination['kind']): Promise<void> {
  if (kind === 'new') {
    // It is empty; Windows renames nothing onto it.
    if (existsSync(dir)) await rmdir(dir);
    renameSync(temporary, dir);
    return;
  }
  const old = temporaryName(dir);
  renameSync(dir, old);
  renameSync(temporary, dir);
  await rm(old, { recursive: true, force: true });
}

/** Weights and graphs first, the manifest last; all renames in one go. A kill between two of them leaves a mismatch that opening refuses by name. */
async function writeInPlace(dir: string, parts: ArtifactParts, { signal }: WriteOptions): Promise<Artifact> {
  const renames: (readonly [from: string, to: string])[] = [];
  const stage = async (name: string, put: (path: string) => Promise<void>): Promise<void> => {
    const to = join(dir, name);
    await clearStaleTemporaries(to);
    const from = temporaryName(to);
    renames.push([from, to]);
    await put(from);
  };
  try {
    const manifest = await describe(dir, parts, signal);
    const readable = readBack(manifest);
    const extras = (await parts.extras?.(readable)) ?? [];
    const outdated = await listBuilt(dir, extras);
    const { weights = [], graphs } = parts;
    for (const { name, path } of weights) await stage(name, (to) => placeFile(path, to, false));
    for (const { name, bytes } of [...graphs, ...extras]) await stage(name, (to) => writeDurably(to, bytes));
    await stage(MANIFEST_FILE, (to) => writeDurably(to, manifest));
    signal?.throwIfAborted();
    for (const [from, to] of renames) renameSync(from, to);
    const current = new Set([
      ...parts.sourceFiles,
      ...[...weights, ...graphs, ...extras].map(({ name }) => name),
    ]);
    for (const name of outdated) if (!current.has(name)) await rm(join(dir, name), { force: true });
    return { dir, manifest: readable };
  } finally {
    for (const [from] of renames) await rm(from, { force: true });
  }
}

/**
 * What builds added to the folder: by the manifest that is there now, of any schema version, and extra files.
 * Throws where a new extra file would replace somebody else's.
 */
async function listBuilt(dir: string, extras: readonly ExtraFile[]): Promise<readonly string[]> {
  const { own, foreign } = await findExtras(dir);
  const lost = foreign.find((name) => extras.some((extra) => extra.name === name));
  if (lost !== undefined) throw refusal(dir, `its ${lost} was not written by a build and would be lost`);
  const listed = (await listManifestFiles(dir)) ?? [];
  const built = listed.filter(({ role }) => role === 'graph' || role === 'weights');
  return [...built.map(({ name }) => name), ...own];
}

/** The text of the manifest, with the sources as they lie in `dir`, weights and graphs as they will. */
async function describe(dir: string, parts: ArtifactParts, signal: AbortSignal | undefined): Promise<string> {
  const files: ArtifactFile[] = [];
  for (const name of [...parts.sourceFiles].sort()) {
    files.push({ name, role: 'source', ...(await describeFile(join(dir, name), signal)) });
  }
  for (const { name, path } of parts.weights ?? []) {
    files.push({ name, role: 'weights', ...(await describeFile(path, signal)) });
  }
  for (const { name, bytes } of parts.graphs) files.push({ name, role: 'graph', ...describeBytes(bytes) });
  return formatManifest({ schemaVersion: SCHEMA_VERSION, sdfpVersion: VERSION, ...parts.content, files });
}

/** What a reader will see: numbers rounded as in the file. */
function readBack(manifest: string): Manifest {
  return v.parse(ManifestSchema, JSON.parse(manifest));
}
