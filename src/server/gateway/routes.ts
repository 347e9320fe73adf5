/**
 * Routes of a server that a gateway passes on, as Hono's patterns. What else an instance answers (metrics, plan, pages) is
 * for those who run it.
 */
export const ROUTES: readonly string[] = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/models',
  '/tokenize',
  '/detokenize',
  '/health',
];

/** That of one model. */
export const MODEL_ROUTE = '/v1/models/:id{.+}';

/**
 * The path of a model, by its decoded id; undefined if something on the way, which decodes once more, might read it as
 * another path.
 */
export function toModelPath(id: string): string | undefined {
  const segments = id.split('/');
  if (/[%\\]/.test(id) || segments.some((segment) => ['', '.', '..'].includes(segment))) return undefined;
  return `/v1/models/${segments.map(encodeURIComponent).join('/')}`;
}
