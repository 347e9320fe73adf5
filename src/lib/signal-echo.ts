/** Signals this close together are one: Ctrl-C comes from the terminal, and again from npm or a launcher that passes it on. */
const ECHO_MS = 500;

/** Makes a check to be called with every signal: true if it is one of its own, false for the echo of the one before. */
export function createEchoFilter(now: () => number = () => performance.now()): () => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = now();
    const isOwn = nowMs - lastMs >= ECHO_MS;
    lastMs = nowMs;
    return isOwn;
  };
}
