import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { clearStaleTemporaries, placeFile, temporaryName, writingTo } from '../artifact/index.ts';
import type { ModelFolder, TargetPrecision } from '../hf/index.ts';
import { type Rounding, writeReducedHead, writeRoundedFile, writeTargetFile } from '../quant/index.ts';

/** A hidden folder beside the artifact with the target's weights and rounded ones, as a graph expects to find them. */
export interface Stage extends AsyncDisposable {
  readonly dir: string;
  readonly weights: readonly RoundedWeightsFile[];
  /** Adds files of their own for heads with rows for some tokens only: which, the scores and their text tell. */
  addReducedHeads(heads: readonly ReducedHead[]): Promise<void>;
}

/** A file of rounded weights. */
export interface RoundedWeightsFile {
  readonly rounding: Rounding;
  /** In the artifact. */
  readonly name: string;
  readonly path: string;
}

/** An LM head with rows for the tokens `vocabulary` alone. */
export interface ReducedHead {
  readonly rounding: Rounding;
  readonly vocabulary: readonly number[];
}

/** What {@linkcode openStage} is told. */
export interface StageOptions {
  readonly outDir: string;
  /** Default `stored`. */
  readonly targetPrecision?: TargetPrecision | undefined;
  /** Of drafts that have weights of their own. */
  readonly roundings: readonly Rounding[];
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (detail: string, share: number) => void;
}

/**
 * Rounds the model's weights where target or drafts need it. Beside the artifact, so that they need not be copied again. Throws
 * SdfpError `invalid_request` where the place is full or cannot be written to.
 */
export function openStage(folder: ModelFolder, options: StageOptions): Promise<Stage> {
  return writingTo(options.outDir, () => fillStage(folder, options));
}

async function fillStage(
  folder: ModelFolder,
  { outDir, targetPrecision = 'stored', roundings, signal, onProgress }: StageOptions,
): Promise<Stage> {
  const out = resolve(outDir);
  await mkdir(dirname(out), { recursive: true });
  await clearStaleTemporaries(out);
  const dir = temporaryName(out);
  await mkdir(dir);
  const dispose = () => rm(dir, { recursive: true, force: true });
  try {
    const weights: RoundedWeightsFile[] = [];
    const numFiles = roundings.length + (targetPrecision === 'int4' ? 1 : 0);
    const add = async (rounding: Rounding, write: typeof writeTargetFile) => {
      const done = weights.length;
      const report = (share: number) => onProgress(`weights to ${rounding}`, (done + share) / numFiles);
      const { file } = await write(folder, dir, { signal, onProgress: report });
      weights.push({ rounding, name: file, path: join(dir, file) });
    };
    if (targetPrecision === 'int4') await add('int4', writeTargetFile);
    else for (const name of weightFiles(folder)) await refer(join(folder.dir, name), join(dir, name));
    for (const rounding of roundings) {
      await add(rounding, (from, to, options) => writeRoundedFile(from, rounding, to, options));
    }
    const addReducedHeads = (heads: readonly ReducedHead[]) =>
      writingTo(outDir, async () => {
        for (const { rounding, vocabulary } of heads) {
          const { file } = await writeReducedHead(folder, rounding, vocabulary, dir, { signal });
          weights.push({ rounding, name: file, path: join(dir, file) });
        }
      });
    return { dir, weights, addReducedHeads, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function weightFiles({ tensors }: ModelFolder): readonly string[] {
  return [...new Set([...tensors.values()].map(({ file }) => file))];
}

/** A symbolic link; where the system does not let us make one (Windows), a hard link or a copy. */
async function refer(source: string, destination: string): Promise<void> {
  await mkdir(dirname(destination), { recursive: true });
  await symlink(source, destination).catch(() => placeFile(source, destination, false));
}
