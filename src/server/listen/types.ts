/** An open port. */
export interface Listener {
  /** The real one, also where 0 was asked for. */
  readonly port: number;
  /** Takes no new connections; resolves when the requests that run are answered. */
  stop(): Promise<void>;
  /** Breaks the connections that are left. */
  kill(): void;
}

export interface ListenOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly host: string;
  readonly port: number;
}

/** Opens a port with the means of one runtime. Rejects with whatever that runtime throws if it cannot. */
export type Listen = (options: ListenOptions) => Promise<Listener>;
