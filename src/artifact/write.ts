import { existsSync, renameSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { VERSION } from '../lib/version.ts';
import { chooseDestination, type Destination } from './destination.ts';
import { describeBytes, describeFile } from './hash.ts';
import { formatManifest, MANIFEST_FILE, ManifestSchema, SCHEMA_VERSION } from './manifest.ts';
import { readManifest } from './open.ts';
import { placeFile, writeDurably } from './place.ts';
import { clearStaleTemporaries, temporaryName } from './temporary.ts';
import type { Artifact, ArtifactFile, Manifest } from './types.ts';

/** What a build knows; the files' hashes and the versions are added by {@linkcode writeArtifact}. */
export type ManifestContent = Omit<Manifest, 'schemaVersion' | 'sdfpVersion' | 'files'>;

/** All that an artifact is made of. */
export interface ArtifactParts {
  readonly modelDir: string;
  /** Names relative to `modelDir`: weights, config, tokenizer, template. */
  readonly sourceFiles: readonly string[];
  /** Serialized ONNX graphs by file name; their external data names files of `sourceFiles`. */
  readonly graphs: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly content: ManifestContent;
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
 * Throws SdfpError `invalid_request` where writing would lose something, the signal's reason when aborted, and what the file system says.
 */
export async function writeArtifact(
  outDir: string,
  parts: ArtifactParts,
  options: WriteOptions = {},
): Promise<Artifact> {
  const destination = await chooseDestination(outDir, parts.modelDir);
  return destination.kind === 'in-place'
    ? writeInPlace(destination.dir, parts, options)
    : writeFolder(destination, parts, options);
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
    for (const { name, bytes } of parts.graphs) await writeDurably(join(temporary, name), bytes);
    const manifest = await describe(temporary, parts, options.signal);
    await writeDurably(join(temporary, MANIFEST_FILE), manifest);
    options.signal?.throwIfAborted();
    await moveIntoPlace(temporary, dir, kind);
    return { dir, manifest: readBack(manifest) };
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

/** Graphs first, the manifest last; all renames in one go. A kill between two of them leaves a mismatch that opening refuses by name. */
async function writeInPlace(dir: string, parts: ArtifactParts, { signal }: WriteOptions): Promise<Artifact> {
  const renames: (readonly [from: string, to: string])[] = [];
  const stage = async (name: string, content: Uint8Array | string): Promise<void> => {
    const to = join(dir, name);
    await clearStaleTemporaries(to);
    const from = temporaryName(to);
    renames.push([from, to]);
    await writeDurably(from, content);
  };
  try {
    const manifest = await describe(dir, parts, signal);
    const outdated = await listGraphs(dir);
    for (const { name, bytes } of parts.graphs) await stage(name, bytes);
    await stage(MANIFEST_FILE, manifest);
    signal?.throwIfAborted();
    for (const [from, to] of renames) renameSync(from, to);
    const current = new Set(parts.graphs.map(({ name }) => name));
    for (const name of outdated) if (!current.has(name)) await rm(join(dir, name), { force: true });
    return { dir, manifest: readBack(manifest) };
  } finally {
    for (const [from] of renames) await rm(from, { force: true });
  }
}

/** Graphs of the manifest that is there now, if there is one that this version understands. */
async function listGraphs(dir: string): Promise<readonly string[]> {
  const manifest = await readManifest(dir).catch(() => undefined);
  return manifest?.files.filter(({ role }) => role === 'graph').map(({ name }) => name) ?? [];
}

/** The text of the manifest, with the sources as they lie in `dir` and the graphs as they will. */
async function describe(dir: string, parts: ArtifactParts, signal: AbortSignal | undefined): Promise<string> {
  const files: ArtifactFile[] = [];
  for (const name of [...parts.sourceFiles].sort()) {
    files.push({ name, role: 'source', ...(await describeFile(join(dir, name), signal)) });
  }
  for (const { name, bytes } of parts.graphs) files.push({ name, role: 'graph', ...describeBytes(bytes) });
  return formatManifest({ schemaVersion: SCHEMA_VERSION, sdfpVersion: VERSION, ...parts.content, files });
}

/** What a reader will see: numbers rounded as in the file. */
function readBack(manifest: string): Manifest {
  return v.parse(ManifestSchema, JSON.parse(manifest));
}
