import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Listen } from './types.ts';

export const listen: Listen = async ({ fetch, host, port }) => {
  // Node's own Request and Response stay in place: other code of the process may rely on them.
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    kill: () => server.closeAllConnections(),
  };
};
