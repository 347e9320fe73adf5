import type { Listen, ListenOptions } from './types.ts';

/** What is used of Bun's API; Deno checks this file without Bun's types. */
declare const Bun: {
  serve(options: {
    fetch: ListenOptions['fetch'];
    hostname: string;
    port: number;
    idleTimeout: number;
    development: boolean;
    reusePort: boolean;
  }): { port?: number; stop(closeActiveConnections?: boolean): Promise<void> };
};

/** Bun closes connections that are silent for longer; 255 s is its limit. Streams that wait send comments. */
const IDLE_TIMEOUT_SECONDS = 255;

export const listen: Listen = async ({ fetch, host, port }) => {
  const server = Bun.serve({
    fetch,
    hostname: host,
    port,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    // Bun's own error pages show sources and paths.
    development: false,
    // Outside development Bun lets several processes share a port, and a second server would go unnoticed.
    reusePort: false,
  });
  return {
    port: server.port ?? port,
    stop: () => server.stop(),
    kill: () => void server.stop(true),
  };
};
