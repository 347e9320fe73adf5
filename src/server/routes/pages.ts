import { Hono } from 'hono';
import type { AppEnv } from '../context.ts';

/** A file for browsers. */
export interface PageFile {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Files by exact URL path, held in memory: nothing of a request becomes a path of the disk. */
export function pageRoutes(files: ReadonlyMap<string, PageFile>, securityPolicy: string): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const [path, { contentType, body }] of files) {
    app.get(path, (c) =>
      c.body(body, 200, {
        'content-type': contentType,
        'cache-control': 'no-cache',
        'content-security-policy': securityPolicy,
        'referrer-policy': 'no-referrer',
      }),
    );
  }
  return app;
}
