/**
 * Preloaded into a server's process (`bun --preload`, `node --import`): watches how long its event loop stands still. On
 * SIGUSR2 it prints the longest stall since the last time, in milliseconds, and begins anew.
 */
import process from 'node:process';

/** A timer that is due every millisecond; what it is late beyond that is a stall. */
const INTERVAL_MS = 1;

let longestMs = 0;
let lastMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  longestMs = Math.max(longestMs, nowMs - lastMs - INTERVAL_MS);
  lastMs = nowMs;
}, INTERVAL_MS).unref();

process.on('SIGUSR2', () => {
  process.stderr.write(`probe: longest stall ${longestMs.toFixed(2)} ms\n`);
  longestMs = 0;
});
