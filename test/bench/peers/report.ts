import { drawTable } from '../../../src/cli/table.ts';
import { median } from '../../../src/lib/median.ts';
import type { Arm } from './peers.ts';
import type { Generation, Mode, Precision } from './protocol.ts';

/** One process. */
export interface Measurement {
  readonly arm: Arm;
  readonly threads: number;
  readonly round: number;
  readonly loadMs: number;
  readonly generations: readonly Generation[];
  /** The machine's load average when it ended; above `threads`: others took part of the cores. */
  readonly load: number;
}

/** Bytes of the weights at a precision, and how fast they come from memory and from where a buffer of their size stays. */
export interface Limit {
  readonly precision: Precision;
  readonly bytes: number;
  readonly memoryBytesPerSecond: number;
  readonly bytesPerSecond: number;
}

interface Name {
  readonly peer: string;
  readonly precision: Precision;
  readonly mode: Mode;
}

/** Speeds in tokens/s, one per round. */
export interface Speed extends Name {
  readonly threads: number;
  /** Prompt excluded. */
  readonly decode: readonly number[];
  /** Prompt included. */
  readonly whole: readonly number[];
  readonly loadMs: readonly number[];
  readonly loadAverage: readonly number[];
}

/** How an arm's texts, one per prompt, stand to others'. */
export interface Texts extends Name {
  /**
   * Position of the first token that differs from the same peer's at the same precision, plain and alone; -1: none
   * does. null: that was not measured.
   */
  readonly fromOwn: readonly number[] | null;
  /** The same for plain sdfp. */
  readonly fromOurs: readonly number[] | null;
}

export interface Summary {
  /** Of every arm that is timed at every number of threads. */
  readonly speeds: readonly Speed[];
  readonly texts: readonly Texts[];
}

export function summarise(measurements: readonly Measurement[]): Summary {
  const byArm = Map.groupBy(measurements, ({ arm }) => arm);
  const texts = [...byArm].map(([arm, [first]]): Texts => {
    // Threads share a product's sums, so their number may change a text as well: only like is compared with like.
    const plainOf = (peer: string, precision: Precision) =>
      measurements.find(
        ({ arm: other, threads }) =>
          other.mode === 'plain' &&
          other.peer.name === peer &&
          other.precision === precision &&
          threads === first!.threads,
      );
    return {
      ...nameOf(arm),
      fromOwn: differences(first!, plainOf(arm.peer.name, arm.precision)),
      fromOurs: differences(first!, plainOf('sdfp', 'f32')),
    };
  });
  const timed = [...byArm].filter(([arm]) => arm.isTimed);
  return { speeds: timed.flatMap(([arm, own]) => speedsOf(arm, own)), texts };
}

function nameOf({ peer, precision, mode }: Arm): Name {
  return { peer: peer.name, precision, mode };
}

function differences({ generations }: Measurement, other: Measurement | undefined): number[] | null {
  if (other === undefined) return null;
  return generations.map(({ ids }, i) =>
    ids.findIndex((id, position) => id !== other.generations[i]!.ids[position]),
  );
}

function speedsOf(arm: Arm, measurements: readonly Measurement[]): Speed[] {
  return [...Map.groupBy(measurements, ({ threads }) => threads)].map(([threads, own]) => ({
    ...nameOf(arm),
    threads,
    decode: own.map(({ generations }) => rate(generations, 'decoded', 'decodeMs')),
    whole: own.map(({ generations }) => rate(generations, 'ids', 'ms')),
    loadMs: own.map(({ loadMs }) => Math.round(loadMs)),
    loadAverage: own.map(({ load }) => Number(load.toFixed(1))),
  }));
}

function rate(
  generations: readonly Generation[],
  tokens: 'decoded' | 'ids',
  time: 'decodeMs' | 'ms',
): number {
  const count = (value: Generation[typeof tokens]) => (typeof value === 'number' ? value : value.length);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const perMs = sum(generations.map((g) => count(g[tokens]))) / sum(generations.map((g) => g[time]));
  return Math.round(1000 * perMs);
}

/** Of each arm, the number of threads with the fastest round. */
function atBestThreads(speeds: readonly Speed[]): Speed[] {
  const fastest = (a: Speed, b: Speed) => (Math.max(...b.decode) > Math.max(...a.decode) ? b : a);
  return [...Map.groupBy(speeds, labelOf).values()].map((own) => own.reduce(fastest));
}

/** The tables for people. */
export function drawReport(summary: Summary, limits: readonly Limit[], prompts: number): string {
  const speeds = atBestThreads(summary.speeds);
  const plain = speeds.find(({ peer, mode }) => peer === 'sdfp' && mode === 'plain');
  // Whatever else runs on the machine makes a round slower, never faster: the best one is nearest to the machine's own speed.
  const speedRows = speeds.map((speed) => [
    labelOf(speed),
    `${speed.threads}`,
    Math.max(...speed.decode).toFixed(0),
    median(speed.decode).toFixed(0),
    Math.max(...speed.whole).toFixed(0),
    plain === undefined ? '' : (Math.max(...speed.decode) / Math.max(...plain.decode)).toFixed(2),
    speed.decode.join(' '),
    Math.max(...speed.loadAverage).toFixed(1),
  ]);
  const textRows = summary.texts.map(({ fromOwn, fromOurs, ...name }) => [
    labelOf(name),
    equalOf(fromOwn, prompts),
    equalOf(fromOurs, prompts),
    (fromOurs ?? fromOwn ?? []).filter((position) => position >= 0).join(' ') || '-',
  ]);
  const limitRows = limits.map(({ precision, bytes, memoryBytesPerSecond, bytesPerSecond }) => [
    precision,
    (bytes / 1e6).toFixed(1),
    (memoryBytesPerSecond / 1e9).toFixed(1),
    (memoryBytesPerSecond / bytes).toFixed(0),
    (bytesPerSecond / 1e9).toFixed(1),
    (bytesPerSecond / bytes).toFixed(0),
  ]);
  return [
    drawTable(
      ['tokens/s', 'threads', 'decode', 'median', 'with prompt', 'to sdfp plain', 'by round', 'load up to'],
      speedRows,
    ),
    drawTable(['texts equal to', 'own plain', "sdfp's plain", 'first differences, by position'], textRows),
    drawTable(
      ['weights', 'MB', 'memory GB/s', 'tok/s at most', 'again and again GB/s', 'tok/s at most'],
      limitRows,
    ),
  ].join('\n');
}

function labelOf({ peer, precision, mode }: Name): string {
  return `${peer} ${precision}${mode === 'plain' ? '' : `, ${mode}`}`;
}

function equalOf(differences: readonly number[] | null, prompts: number): string {
  if (differences === null) return 'unknown';
  return `${differences.filter((position) => position < 0).length} of ${prompts}`;
}
