import type { Stats } from 'node:fs';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { SdfpError } from '../lib/errors.ts';
import { SMALL_FILES } from '../lib/model-files.ts';
import { explainSystemError } from '../lib/system-error.ts';
import { hashFile } from './hash.ts';
import { MANIFEST_FILE, ManifestSchema, SCHEMA_VERSION } from './manifest.ts';
import type { Artifact, ArtifactFile, Manifest } from './types.ts';

/** `full` hashes every file; `fast` compares all sizes and hashes files under 1 MB, for cold starts. */
export type VerifyMode = 'full' | 'fast';

/**
 * Opens a baked folder and makes sure that its files are those that its manifest names.
 * Throws SdfpError `artifact_unreadable` (nothing there, a bare model folder, a broken manifest, a missing file),
 * `artifact_too_new` (written by a newer schema) or `artifact_mismatch` (a file of another size or content, or one that
 * would be read and is not listed).
 */
export async function openArtifact(dir: string, options: { readonly verify: VerifyMode }): Promise<Artifact> {
  const root = resolve(dir);
  const manifest = await readManifest(root);
  // All sizes before any hash: a truncated file of many gigabytes is noticed at once.
  for (const file of manifest.files) await checkSize(root, file);
  refuseUnlisted(root, manifest.files);
  for (const file of manifest.files) {
    if (options.verify === 'full' || file.checkedFast) await checkHash(root, file);
  }
  return { dir: root, manifest };
}

/** Reads and checks manifest.json alone; same errors as {@linkcode openArtifact} but for the files. */
export async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, MANIFEST_FILE);
  const json = parseJson(path, await readManifestText(dir, path));
  refuseOtherVersions(path, json);
  const result = v.safeParse(ManifestSchema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const at = v.getDotPath(issue) ?? 'the whole';
  const more = result.issues.length > 1 ? ` (and ${result.issues.length - 1} more)` : '';
  throw unreadable(
    `Cannot use ${path}: at ${at}: ${issue.message}${more}; it is damaged or edited, bake the artifact again`,
  );
}

async function readManifestText(dir: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (!existsSync(dir))
      throw unreadable(
        `Cannot open the artifact ${dir}: there is no such folder; name one that sdfp build MODEL_DIR --out DIR wrote`,
        cause,
      );
    if (existsSync(join(dir, 'config.json')) && !existsSync(path)) {
      throw unreadable(
        `Cannot open ${dir} as an artifact: found config.json but no ${MANIFEST_FILE}, so it is a model folder that is not baked yet; run sdfp build ${dir} --out DIR`,
        cause,
      );
    }
    const why = explainSystemError(cause);
    throw unreadable(
      `Cannot open the artifact ${dir}: its ${MANIFEST_FILE} cannot be read: ${why}; bake one with sdfp build`,
      cause,
    );
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(
      `Cannot use ${path}: it is no JSON, so it is truncated or damaged; bake the artifact again`,
      cause,
    );
  }
}

/** Comes before the schema, which cannot know what newer versions look like. */
function refuseOtherVersions(path: string, json: unknown): void {
  const head = v.safeParse(
    v.looseObject({ schema_version: v.number(), sdfp_version: v.optional(v.string()) }),
    json,
  );
  if (!head.success)
    throw unreadable(`Cannot use ${path}: it has no schema_version, so it is no manifest of sdfp`);
  const { schema_version: version, sdfp_version: writer = 'unknown' } = head.output;
  if (version === SCHEMA_VERSION) return;
  if (version > SCHEMA_VERSION) {
    throw new SdfpError(
      'artifact_too_new',
      `Cannot use ${path}: its schema version is ${version} (written by sdfp ${writer}), this sdfp reads ${SCHEMA_VERSION}; update sdfp`,
    );
  }
  throw unreadable(
    `Cannot use ${path}: its schema version is ${version}, this sdfp reads ${SCHEMA_VERSION}; bake the artifact again`,
  );
}

async function checkSize(dir: string, file: ArtifactFile): Promise<void> {
  const path = join(dir, file.name);
  let found: Stats;
  try {
    found = await stat(path);
  } catch (cause) {
    throw unreadable(
      `Cannot open the artifact ${dir}: ${file.name} is missing; the manifest needs it`,
      cause,
    );
  }
  if (!found.isFile()) throw unreadable(`Cannot open the artifact ${dir}: ${file.name} is not a file`);
  if (found.size === file.bytes) return;
  throw mismatch(dir, `${file.name} has ${found.size} bytes, the manifest says ${file.bytes}`);
}

/** A tokenizer file or chat template that came after the build would be read unchecked. */
function refuseUnlisted(dir: string, files: readonly ArtifactFile[]): void {
  const listed = new Set(files.map(({ name }) => name));
  const added = SMALL_FILES.find((name) => !listed.has(name) && existsSync(join(dir, name)));
  if (added === undefined) return;
  throw new SdfpError(
    'artifact_mismatch',
    `Cannot open the artifact ${dir}: ${added} is there, the manifest does not list it; remove the file or bake again`,
  );
}

async function checkHash(dir: string, file: ArtifactFile): Promise<void> {
  const found = await hashFile(join(dir, file.name)).catch((cause: unknown) => {
    throw unreadable(`Cannot open the artifact ${dir}: ${file.name} cannot be read`, cause);
  });
  if (found === file.sha256) return;
  throw mismatch(
    dir,
    `${file.name} has SHA-256 ${found.slice(0, 12)}…, the manifest says ${file.sha256.slice(0, 12)}…`,
  );
}

function mismatch(dir: string, what: string): SdfpError {
  return new SdfpError(
    'artifact_mismatch',
    `Cannot open the artifact ${dir}: ${what}; the file was changed or cut after the build, restore it or bake again`,
  );
}

function unreadable(message: string, cause?: unknown): SdfpError {
  return new SdfpError('artifact_unreadable', message, { cause });
}
