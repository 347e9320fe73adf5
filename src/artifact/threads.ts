import type { Processor } from '../lib/processor.ts';
import type { Manifest } from './types.ts';

/** How many threads a session gets, and why. */
export interface ThreadChoice {
  /** Undefined: the runtime's own choice. */
  readonly threads: number | undefined;
  /** For people. */
  readonly reason: string;
}

/**
 * What somebody has `given` counts; else, on the machine that the artifact was measured on, what was fastest there; else the
 * runtime chooses.
 */
export function chooseThreads(
  { measured }: Pick<Manifest, 'measured'>,
  given: number | undefined,
  here: Pick<Processor, 'cpu' | 'cores'>,
): ThreadChoice {
  if (given !== undefined) return { threads: given, reason: 'as set' };
  if (measured === null) return { threads: undefined, reason: 'nothing was measured' };
  const { machine, threads } = measured;
  if (machine.cpu !== here.cpu || machine.cores !== here.cores) {
    const reason = `measured on ${describe(machine)}, this is ${describe(here)}`;
    return { threads: undefined, reason };
  }
  const reason = threads.skipped ?? 'fastest when measured on this machine';
  return { threads: threads.chosen ?? undefined, reason };
}

/** e.g. `2 threads (as set)`. */
export function describeThreads({ threads, reason }: ThreadChoice): string {
  if (threads === undefined) return `threads as ONNX Runtime chooses (${reason})`;
  return `${threads} thread${threads === 1 ? '' : 's'} (${reason})`;
}

function describe({ cpu, cores }: Pick<Processor, 'cpu' | 'cores'>): string {
  return `${cpu} with ${cores} core${cores === 1 ? '' : 's'}`;
}
