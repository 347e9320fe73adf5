import process from 'node:process';

/** Highest resident memory of this process so far, in bytes: the kernel's high-water mark, so a peak inside a run counts too. */
export function readPeakRssBytes(): number {
  // Kilobytes in Node, Bun and Deno alike (checked against memoryUsage).
  return process.resourceUsage().maxRSS * 1024;
}
