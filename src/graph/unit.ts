import type { GraphBuilder, Value } from '../onnx/index.ts';
import type { Unit } from '../plan/types.ts';
import type { Rounding } from '../quant/index.ts';

/**
 * How a unit enters a graph: computed, left out, or skipped in the runs where a bool [1] is true. `instead`: in those
 * runs it is computed with rounded weights.
 */
export type UnitMode = 'on' | 'off' | Gate;

export interface Gate {
  readonly skipWhen: Value;
  readonly instead?: Rounding;
}

/** The residual stream around a unit, [B, S, E] each. */
export interface UnitTrace {
  readonly unit: Unit;
  readonly before: Value;
  /** `after - before`; undefined where the unit is off. */
  readonly contribution: Value | undefined;
  readonly after: Value;
}

/** What a unit computes: its contribution [B, S, E] to the stream, and the cache rows it writes, if any. */
export interface BlockResult {
  readonly contribution: Value;
  readonly rows: readonly Value[];
}

/** A unit with its mode and mathematics. */
export interface Block {
  readonly unit: Unit;
  readonly mode: UnitMode;
  /** With rounded weights where `rounding` is given. */
  compute(before: Value, rounding?: Rounding): BlockResult;
  /** Stand-ins of no length for the rows that a skipped unit does not write. */
  emptyRows(): readonly Value[];
}

export interface StreamResult {
  /** The residual stream behind the last block. */
  readonly stream: Value;
  /** Rows of all blocks that are not off, in their order; those of neighbours with rounded weights joined along S. */
  readonly rows: readonly Value[];
  /** Blocks that are on or off; what happens inside a branch cannot be seen from outside. */
  readonly traces: readonly UnitTrace[];
}

/** Adds the blocks to the residual stream. Neighbours behind the same condition share one If: each costs about 10 µs. */
export function addBlocks(g: GraphBuilder, blocks: readonly Block[], start: Value): StreamResult {
  let stream = start;
  const rows: Value[] = [];
  const traces: UnitTrace[] = [];
  for (const group of groupByGate(blocks)) {
    const { mode } = group[0]!;
    const added =
      typeof mode === 'string' ? addPlain(g, group, stream) : addGated(g, group, mode.skipWhen, stream);
    stream = added.stream;
    rows.push(...added.rows);
    traces.push(...added.traces);
  }
  return { stream, rows, traces };
}

/** Runs of neighbours with the same condition, or without any. */
function groupByGate(blocks: readonly Block[]): readonly Block[][] {
  const groups: Block[][] = [];
  for (const block of blocks) {
    const group = groups.at(-1);
    if (group !== undefined && gateOf(group[0]!) === gateOf(block)) group.push(block);
    else groups.push([block]);
  }
  return groups;
}

function gateOf({ mode }: Block): Value | undefined {
  return typeof mode === 'string' ? undefined : mode.skipWhen;
}

function addPlain(g: GraphBuilder, blocks: readonly Block[], start: Value): StreamResult {
  const rows: Value[] = [];
  let stream = start;
  const traces = blocks.map((block): UnitTrace => {
    const before = stream;
    if (block.mode === 'off') return { unit: block.unit, before, contribution: undefined, after: before };
    const added = addOne(g, block, before);
    rows.push(...added.rows);
    stream = added.after;
    return { unit: block.unit, before, contribution: added.contribution, after: stream };
  });
  return { stream, rows, traces };
}

function addGated(g: GraphBuilder, blocks: readonly Block[], skipWhen: Value, start: Value): StreamResult {
  const isRounded = !blocks.every(isSkipped);
  const empty = new Map(blocks.filter(isSkipped).map((block) => [block, block.emptyRows()]));
  const drafted = () => {
    let stream = start;
    const rows = blocks.flatMap((block) => {
      const none = empty.get(block);
      if (none !== undefined) return none;
      const added = addOne(g, block, stream, roundingOf(block.mode));
      stream = added.after;
      return added.rows;
    });
    return [stream, ...joinIf(g, isRounded, rows)];
  };
  const computed = () => {
    const { stream, rows } = addPlain(g, blocks, start);
    return [stream, ...joinIf(g, isRounded, rows)];
  };
  const [stream, ...rows] = g.scope('gated', () => g.if(skipWhen, drafted, computed));
  return { stream: stream!, rows, traces: [] };
}

/** Rows of a long branch leave it as one tensor, for each output of a branch is copied. */
function joinIf(g: GraphBuilder, condition: boolean, rows: readonly Value[]): readonly Value[] {
  return condition && rows.length > 1 ? [g.op.Concat(rows, { axis: 2 })] : rows;
}

function isSkipped(block: Block): boolean {
  return roundingOf(block.mode) === undefined;
}

/** Of the runs where the gate is true; undefined where the unit is skipped then, or has no gate. */
export function roundingOf(mode: UnitMode): Rounding | undefined {
  return typeof mode === 'string' ? undefined : mode.instead;
}

function addOne(
  g: GraphBuilder,
  { unit, compute }: Block,
  before: Value,
  rounding?: Rounding,
): BlockResult & { after: Value } {
  return g.scope(`layers.${unit.layer}.${unit.block}`, () => {
    const { contribution, rows } = compute(before, rounding);
    return { contribution, rows, after: g.op.Add(before, contribution) };
  });
}
