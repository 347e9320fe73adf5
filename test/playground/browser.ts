import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian and Ubuntu put Chromium; `CHROMIUM` names another. */
const EXECUTABLES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = EXECUTABLES.find((path) => path && existsSync(path));

/**
 * Whether the browser tests are to be left out: only where Chromium is absent, and never in CI, where its absence fails
 * them. Says so once on stderr.
 */
export function isBrowserMissing(): boolean {
  if (executablePath || process.env.CI) return false;
  console.error(
    'SKIPPED: the playground was NOT tested, as no Chromium is installed (apt-get install chromium).',
  );
  return true;
}

/** Starts a headless Chromium with a profile of its own that is deleted when it closes. */
export async function launchBrowser(): Promise<Browser> {
  if (!executablePath)
    throw new Error(`Starting Chromium: none of ${EXECUTABLES.filter(Boolean).join(', ')} exists.`);
  const quiet = [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
  ];
  return await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet],
  });
}
