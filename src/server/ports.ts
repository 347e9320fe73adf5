import { createDeferred } from '../lib/deferred.ts';
import { SdfpError } from '../lib/errors.ts';
import type { Listen, Listener, ListenOptions } from './listen/types.ts';

/**
 * Opens a port that a setting names. Errors: SdfpError `invalid_request` whose message and `param` name that setting, or
 * HOST where the address is to blame.
 */
export async function openPort(listen: Listen, setting: string, options: ListenOptions): Promise<Listener> {
  try {
    return await listen(options);
  } catch (cause) {
    const { host, port } = options;
    const { problem, param, advice } = explain(cause, setting);
    const message = `Cannot listen on port ${port} of ${host}: ${problem}; set ${param} to ${advice}`;
    throw new SdfpError('invalid_request', message, { cause, param });
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

interface Explanation {
  readonly problem: string;
  /** The setting to blame. */
  readonly param: string;
  readonly advice: string;
}

/** Bun and Node give a code, Deno a name or only words. */
function explain(cause: unknown, setting: string): Explanation {
  const { code, name } = Object(cause);
  const found = cause instanceof Error ? cause.message : String(cause);
  const free = { param: setting, advice: 'a free port, or end what listens there' };
  if (code === 'EADDRINUSE' || name === 'AddrInUse') return { problem: 'it is in use', ...free };
  const high = { param: setting, advice: 'a port from 1024 up' };
  if (code === 'EACCES' || name === 'PermissionDenied' || name === 'NotCapable')
    return { problem: 'this user may not open it', ...high };
  const own = { param: 'HOST', advice: 'an address of this machine (0.0.0.0: all of them)' };
  if (code === 'EADDRNOTAVAIL' || name === 'AddrNotAvailable')
    return { problem: 'this machine does not have that address', ...own };
  // Bun says EINVAL of a name that it cannot find.
  if (['ENOTFOUND', 'EAI_AGAIN', 'EINVAL'].includes(code) || name === 'URIError' || /lookup/.test(found))
    return { problem: 'there is no such address', ...own };
  return { problem: found, param: setting, advice: 'another port' };
}
