import type { Hono } from 'hono';
import type { AppEnv } from './context.ts';
import { invalidRequest, toApiError } from './errors.ts';
import { addFailure } from './request-record.ts';

/** Has an app answer unknown paths and errors as OpenAI does: JSON with a code. */
export function answerFailures(app: Hono<AppEnv>): void {
  app.notFound((c) => {
    const message = `Answering the request: there is no ${c.req.path.slice(0, 100)}.`;
    return c.json(invalidRequest(404, 'not_found', message).envelope, 404);
  });
  app.onError((error, c) => {
    const failure = toApiError(error);
    // Messages of refused requests quote them; the log holds nothing that people wrote.
    if (failure.status >= 500) addFailure(c.get('record'), String(error));
    return c.json(failure.envelope, failure.status, { ...failure.headers });
  });
}
