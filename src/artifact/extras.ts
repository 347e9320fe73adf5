import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** A file for people: written with the artifact, neither needed to serve it nor verified when it is opened. */
export interface ExtraFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Names that extra files may have. */
export const EXTRA_FILES: readonly string[] = ['report.html', 'report.md'];
/** Stands at the beginning of each, so that a build never replaces a file that somebody else wrote. */
export const EXTRA_MARK = 'written by sdfp build';
const MARK_WITHIN_BYTES = 256;

/** Extra files that lie in `dir`: those of earlier builds, and others of the same name. */
export async function findExtras(
  dir: string,
): Promise<{ readonly own: readonly string[]; readonly foreign: readonly string[] }> {
  const found: { own: string[]; foreign: string[] } = { own: [], foreign: [] };
  for (const name of EXTRA_FILES) {
    const start = await readStart(join(dir, name));
    if (start !== undefined) found[start.includes(EXTRA_MARK) ? 'own' : 'foreign'].push(name);
  }
  return found;
}

/** Undefined: there is no such file. */
async function readStart(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const start = new Uint8Array(MARK_WITHIN_BYTES);
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return new TextDecoder().decode(start.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
