/**
 * What Git LFS leaves in place of a file that was not downloaded: a text of some 130 bytes that begins so.
 * Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
const POINTER_START = 'version https://git-lfs.github.com/spec/';

/** Bytes of a file's beginning that show whether it is a pointer. */
export const LFS_POINTER_BYTES: number = POINTER_START.length;

/** Whether a file that begins with `text` is a Git LFS pointer. */
export function isLfsPointer(text: string): boolean {
  return text.startsWith(POINTER_START);
}

/** The end of a message on such a file: what it is and what to do. */
export const LFS_POINTER_PROBLEM =
  'it is a Git LFS pointer, not the file itself; run git lfs pull in the folder it came from';
