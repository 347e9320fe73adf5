import { Hono } from 'hono';
import type { AppEnv } from '../context.ts';
import { DOCS_STYLE, renderDocs } from '../openapi/docs-page.ts';
import { createOpenApi } from '../openapi/document.ts';

/** Nothing from elsewhere, nothing inline, no script. */
const SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `/openapi.json`, and `/docs`: the same for people. Both are made when first asked for. */
export function documentationRoutes(): Hono<AppEnv> {
  let made: { readonly json: string; readonly page: string } | undefined;
  const make = (): { json: string; page: string } => {
    const document = createOpenApi();
    return { json: JSON.stringify(document), page: renderDocs(document) };
  };
  const app = new Hono<AppEnv>();
  app.get('/openapi.json', (c) => {
    made ??= make();
    return c.body(made.json, 200, { 'content-type': 'application/json', 'cache-control': 'no-cache' });
  });
  app.get('/docs', (c) => {
    made ??= make();
    c.header('content-security-policy', SECURITY_POLICY);
    c.header('referrer-policy', 'no-referrer');
    return c.html(made.page);
  });
  app.get('/docs/style.css', (c) => c.body(DOCS_STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }));
  return app;
}
