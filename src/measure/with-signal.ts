import type { Engine } from '../engine/types.ts';

/** The engine for work that may be called off: an abort of `signal` ends each of its generations with the signal's reason. */
export function withSignal(engine: Engine, signal: AbortSignal | undefined): Engine {
  if (signal === undefined) return engine;
  return {
    info: engine.info,
    generate: (request, own) =>
      engine.generate(request, own === undefined ? signal : AbortSignal.any([signal, own])),
    load: () => engine.load(),
    dispose: () => engine.dispose(),
  };
}
