/** Serves the gateway in Deno, which gets no permission but the network. Argument: its settings as JSON. */
import { createEdge } from '../../functions/edge.ts';

/** What is used of Deno's API. */
declare const Deno: {
  readonly args: readonly string[];
  serve(
    options: { port: number; hostname: string; onListen(address: { port: number }): void },
    handler: (request: Request) => Promise<Response>,
  ): unknown;
};

Deno.serve(
  { port: 0, hostname: '127.0.0.1', onListen: ({ port }) => console.log(`listening on ${port}`) },
  createEdge(JSON.parse(Deno.args[0] ?? '{}')),
);
