import { readFileSync } from 'node:fs';

/** A file of the playground, as it is sent. */
export interface PlaygroundFile {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Value of the `content-security-policy` header for every file of the playground: nothing from elsewhere, nothing inline. */
export const playgroundSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** URL path, file beside this one, content type. `page.js` is built from `page.ts` by `build.ts`. */
const FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/playground/style.css', 'style.css', 'text/css; charset=utf-8'],
  ['/playground/views.css', 'views.css', 'text/css; charset=utf-8'],
  ['/playground/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/playground/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const;

/** Reads the playground's files: URL path to file. Call it once, when the app is made. */
export function playgroundFiles(): ReadonlyMap<string, PlaygroundFile> {
  return new Map(
    FILES.map(([path, name, contentType]) => {
      const body = new Uint8Array(readFileSync(new URL(name, import.meta.url)));
      return [path, { contentType, body }];
    }),
  );
}
