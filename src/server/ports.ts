import { createDeferred } from '../lib/deferred.ts';
import { SdfpError } from '../lib/errors.ts';
import type { Listen, Listener, ListenOptions } from './listen/types.ts';

/** Opens a port that a setting names. Errors: SdfpError `invalid_request` whose message and `param` name the setting. */
export async function openPort(listen: Listen, setting: string, options: ListenOptions): Promise<Listener> {
  try {
    return await listen(options);
  } catch (cause) {
    const { host, port } = options;
    const message = `Cannot listen on port ${port} of ${host}: ${explain(cause)}; set ${setting} to a free port`;
    throw new SdfpError('invalid_request', message, { cause, param: setting });
  }
}

/** Lets the answers on their way arrive, for at most `graceMs`, and breaks the rest. */
export async function closePorts(listeners: readonly Listener[], graceMs: number): Promise<void> {
  await Promise.all(
    listeners.map(async (listener) => {
      if (!(await within(graceMs, listener.stop()))) listener.kill();
    }),
  );
}

/** Waits for `promise` but no longer than `ms`; whether it was in time. */
export async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const late = createDeferred<false>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const isInTime = await Promise.race([promise.then(() => true), late.promise]);
  clearTimeout(timer);
  return isInTime;
}

/** Bun and Node give a code, Deno a name. */
function explain(cause: unknown): string {
  const { code, name } = Object(cause);
  if (code === 'EADDRINUSE' || name === 'AddrInUse') return 'it is in use';
  if (code === 'EACCES' || name === 'PermissionDenied' || name === 'NotCapable')
    return 'this user may not open it';
  return cause instanceof Error ? cause.message : String(cause);
}
