import type { MessagePort } from 'node:worker_threads';
import type { LocalEngine } from '../engine/index.ts';
import { type FromWorker, packError, type ToWorker } from './protocol.ts';

/** The worker's side: loads an engine and answers the main thread's messages until it is told to dispose. */
export async function serveEngine(port: MessagePort, load: () => Promise<LocalEngine>): Promise<void> {
  const post = (message: FromWorker) => port.postMessage(message);
  let engine: LocalEngine;
  try {
    engine = await load();
  } catch (error) {
    post({ type: 'failed', error: packError(error) });
    port.close();
    return;
  }
  const cancellers = new Map<number, AbortController>();
  port.on('message', (message: ToWorker) => {
    if (message.type === 'generate') void stream(engine, message, cancellers, post);
    else if (message.type === 'cancel') cancellers.get(message.id)?.abort();
    else if (message.type === 'vocabulary') engine.setVocabulary(message.vocabulary);
    else if (message.type === 'profile') post({ ...message, profile: engine.profile() });
    else void close(engine, port, post);
  });
  post({ type: 'ready', info: engine.info });
}

async function stream(
  engine: LocalEngine,
  { id, request }: Extract<ToWorker, { type: 'generate' }>,
  cancellers: Map<number, AbortController>,
  post: (message: FromWorker) => void,
): Promise<void> {
  const canceller = new AbortController();
  cancellers.set(id, canceller);
  try {
    for await (const event of engine.generate(request, canceller.signal)) post({ type: 'event', id, event });
  } catch (error) {
    if (!canceller.signal.aborted) post({ type: 'error', id, error: packError(error) });
  } finally {
    cancellers.delete(id);
  }
}

async function close(
  engine: LocalEngine,
  port: MessagePort,
  post: (message: FromWorker) => void,
): Promise<void> {
  await engine.dispose();
  post({ type: 'disposed' });
  port.close();
}
