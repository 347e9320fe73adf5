import { messageOf } from './errors.ts';

/** What the system's codes mean to somebody who has given a path. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EEXIST: 'there is something of that name already',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its symbolic links lead in a circle',
};

/** The code of a failed system call (ENOENT and its kin); undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Why a file system call failed, in words, with the system's code: `permission denied (EACCES)`. */
export function explainSystemError(error: unknown): string {
  const code = systemCode(error);
  const meaning = code === undefined ? undefined : MEANINGS[code];
  return meaning === undefined ? messageOf(error) : `${meaning} (${code})`;
}
