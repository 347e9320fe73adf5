import type { Processor } from '../lib/processor.ts';
import type { Manifest, MeasuredThreads } from './types.ts';

/** How many threads a session gets, and why. */
export interface ThreadChoice {
  /** Undefined: as many as ONNX Runtime chooses. */
  readonly threads: number | undefined;
  /** For people. */
  readonly reason: string;
}

/** The session that threads are chosen for. */
export interface ThreadUse {
  /** What somebody has set. */
  readonly threads: number | undefined;
  /** Name of the draft in the session's graph; null: the target alone. */
  readonly draft: string | null;
  /** Undefined: the CPU. */
  readonly provider: string | undefined;
}

/**
 * What somebody has set counts; else what was fastest for the same draft on the CPU, where the processor `here` has the name and
 * the usable cores of the one that measured it; else the default of `here`.
 */
export function chooseThreads(
  { measured }: Pick<Manifest, 'measured'>,
  use: ThreadUse,
  here: Processor,
): ThreadChoice {
  if (use.threads !== undefined) return { threads: use.threads, reason: 'as set' };
  const difference = measured === null ? 'nothing was measured' : findDifference(measured, use, here);
  if (difference !== undefined) return byDefault(here, difference);
  const { threads } = measured!;
  const where = threads.skipped === null ? ', by measurements on a machine with this processor' : '';
  const reason = `${judgeThreads(threads)}${where}`;
  return threads.chosen === null ? byDefault(here, reason) : { threads: threads.chosen, reason };
}

function byDefault({ defaultThreads: threads }: Processor, why: string): ThreadChoice {
  return { threads, reason: threads === undefined ? why : `one per core that the process may use; ${why}` };
}

/** Why what was measured says nothing about the session; undefined: it does. */
function findDifference(
  { servedDraft, machine }: NonNullable<Manifest['measured']>,
  { draft, provider = 'cpu' }: ThreadUse,
  here: Processor,
): string | undefined {
  if (provider !== 'cpu') return `measured on the CPU, the session is on ${provider}`;
  if (draft !== servedDraft)
    return `measured ${describeDraft(servedDraft)}, the session is ${describeDraft(draft)}`;
  if (machine.cpu === here.cpu && machine.cores === here.cores) return undefined;
  return `measured on ${describeCores(machine)}, this is ${describeCores(here)}`;
}

function describeDraft(draft: string | null): string {
  return draft === null ? 'without a draft' : `with the draft ${draft}`;
}

function describeCores({ cpu, cores }: Pick<Processor, 'cpu' | 'cores'>): string {
  return `${cpu} with ${cores} core${cores === 1 ? '' : 's'}`;
}

/** e.g. `2 threads (as set)`. */
export function describeThreads({ threads, reason }: ThreadChoice): string {
  if (threads === undefined) return `threads as ONNX Runtime chooses (${reason})`;
  return `${threads} thread${threads === 1 ? '' : 's'} (${reason})`;
}

/** What the comparison of thread counts found, then each count that was compared, as `describeCount` puts it. */
export function describeMeasuredThreads(
  threads: MeasuredThreads,
  describeCount: (name: string, tokensPerSecond: number) => string,
): string {
  const found = `${nameCount(threads.chosen)} (${judgeThreads(threads)})`;
  const counts = threads.counts.map((count) =>
    describeCount(nameCount(count.threads), count.predictedTokensPerSecond),
  );
  return [found, ...(counts.length === 0 ? [] : [counts.join(', ')])].join('; compared: ');
}

function nameCount(threads: number | null): string {
  return threads === null ? 'default' : `${threads}`;
}

function judgeThreads({ chosen, skipped }: MeasuredThreads): string {
  if (skipped !== null) return `not compared: ${skipped}`;
  return chosen === null ? 'no other count was clearly faster' : 'the fastest';
}
