import type { Listen, ListenOptions } from './types.ts';

/** What is used of Deno's API; its types exist only inside Deno. */
declare const Deno: {
  serve(
    options: { hostname: string; port: number; signal: AbortSignal; onListen: () => void },
    handler: ListenOptions['fetch'],
  ): { addr: { port: number }; shutdown(): Promise<void> };
};

/**
 * A request's signal tells when its client leaves. Without `--unstable-no-legacy-abort` (or `"unstable":
 * ["no-legacy-abort"]` in deno.json) it aborts after success too, which does no harm here, and Deno warns of that once.
 */
export const listen: Listen = async ({ fetch, host, port }) => {
  const controller = new AbortController();
  const options = { hostname: host, port, signal: controller.signal, onListen: () => {} };
  const server = Deno.serve(options, (request) => {
    // A signal that is read for the first time after the client left never aborts (Deno 2.9).
    void request.signal;
    return fetch(request);
  });
  return {
    port: server.addr.port,
    stop: () => server.shutdown(),
    kill: () => controller.abort(),
  };
};
