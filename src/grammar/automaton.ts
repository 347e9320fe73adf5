import { leastCosts, type Node } from './nodes.ts';

/** Where to go on when a node has been matched: at `position` of `node` (an item, or how often it has been repeated). */
interface Frame {
  readonly id: number;
  readonly node: Node;
  readonly position: number;
  readonly parent: Frame | undefined;
  /** Least cost from here to the end. */
  readonly cost: number;
}

/** A literal (from `position` on) or a set that the next byte must match, and what follows it. */
interface Config {
  readonly id: number;
  readonly node: Extract<Node, { kind: 'literal' | 'set' }>;
  readonly position: number;
  readonly frame: Frame | undefined;
  readonly cost: number;
}

/** All ways in which the bytes so far may go on. */
export interface State {
  readonly id: number;
  readonly configs: readonly Config[];
  /** Whether the bytes so far are a complete text. */
  readonly isAccepting: boolean;
  /** Least cost to a complete text; in tokens, if the automaton was given their costs. */
  readonly cost: number;
  /** State after each byte: an id, {@linkcode DEAD}, or {@linkcode UNKNOWN}. */
  readonly next: Int32Array;
}

export const DEAD = -1;
const UNKNOWN = -2;

/** Cost of a literal's bytes from each position on, and of none at its end. */
export type SuffixCosts = (bytes: Uint8Array) => ArrayLike<number>;

/** Every byte for itself: an upper bound for any vocabulary that has all bytes. */
export const byteCosts: SuffixCosts = (bytes) =>
  Array.from({ length: bytes.length + 1 }, (_, position) => bytes.length - position);

/**
 * Recognises a grammar byte by byte. A state is a set of stacks, as in llama.cpp's grammars; states and their
 * transitions are made when first needed and kept, so that a walk over known ground costs an array access per byte.
 */
export class Automaton {
  readonly start: number;
  readonly #nodeCosts: Float64Array;
  readonly #suffixCosts: Map<Node, ArrayLike<number>> = new Map();
  readonly #suffixCostsOf: SuffixCosts;
  readonly #frames: Map<string, Frame> = new Map();
  readonly #configs: Map<string, Config> = new Map();
  readonly #states: State[] = [];
  readonly #stateIds: Map<string, number> = new Map();

  constructor(root: Node, nodes: readonly Node[], suffixCosts: SuffixCosts = byteCosts) {
    this.#suffixCostsOf = suffixCosts;
    this.#nodeCosts = leastCosts(nodes, (bytes) => suffixCosts(bytes)[0]!);
    const closure = new Closure();
    this.#expand(root, undefined, closure);
    this.start = this.#intern(closure);
  }

  state(id: number): State {
    return this.#states[id]!;
  }

  /** Id of the state after `byte`, or {@linkcode DEAD}. */
  step(id: number, byte: number): number {
    const { next } = this.#states[id]!;
    if (next[byte] === UNKNOWN) next[byte] = this.#advance(id, byte);
    return next[byte]!;
  }

  /** The state after all `bytes`, or {@linkcode DEAD}. */
  walk(id: number, bytes: Uint8Array): number {
    let state = id;
    for (let i = 0; i < bytes.length && state !== DEAD; i++) state = this.step(state, bytes[i]!);
    return state;
  }

  #advance(id: number, byte: number): number {
    const closure = new Closure();
    for (const { node, position, frame } of this.#states[id]!.configs) {
      if (node.kind === 'set') {
        if (node.allowed[byte] === 1) this.#resume(frame, closure);
      } else if (node.bytes[position] === byte) {
        if (position + 1 < node.bytes.length) closure.configs.add(this.#config(node, position + 1, frame));
        else this.#resume(frame, closure);
      }
    }
    return closure.isEmpty ? DEAD : this.#intern(closure);
  }

  /** Adds what `node` may begin with, to be followed by `frame`. */
  #expand(node: Node, frame: Frame | undefined, closure: Closure): void {
    if (!closure.enter(node, frame) || this.#nodeCosts[node.id] === Number.POSITIVE_INFINITY) return;
    if (node.kind === 'sequence') this.#goOn(node, 0, frame, closure);
    else if (node.kind === 'repeat') this.#goOn(node, 0, frame, closure);
    else if (node.kind === 'choice') for (const option of node.options) this.#expand(option, frame, closure);
    else if (node.kind === 'reference') this.#expand(node.target!, frame, closure);
    else if (node.kind === 'literal' && node.bytes.length === 0) this.#resume(frame, closure);
    else closure.configs.add(this.#config(node, 0, frame));
  }

  #resume(frame: Frame | undefined, closure: Closure): void {
    if (frame === undefined) closure.isAccepting = true;
    else this.#goOn(frame.node, frame.position, frame.parent, closure);
  }

  /** Goes on at `position` of a sequence, or after so many repetitions. */
  #goOn(node: Node, position: number, parent: Frame | undefined, closure: Closure): void {
    if (node.kind === 'sequence') this.#goOnSequence(node, position, parent, closure);
    if (node.kind !== 'repeat') return;
    if (position >= node.min) this.#resume(parent, closure);
    if (position >= node.max) return;
    // Without a maximum, counting beyond the minimum would make every repetition another state.
    const count = node.max === Number.POSITIVE_INFINITY ? Math.min(position + 1, node.min) : position + 1;
    this.#expand(node.item, this.#frame(node, count, parent), closure);
  }

  #goOnSequence(
    node: Extract<Node, { kind: 'sequence' }>,
    position: number,
    parent: Frame | undefined,
    closure: Closure,
  ): void {
    const item = node.items[position];
    // The last item needs no frame to come back to: lists would grow the stack for ever.
    const isLast = position + 1 === node.items.length;
    if (item === undefined) this.#resume(parent, closure);
    else this.#expand(item, isLast ? parent : this.#frame(node, position + 1, parent), closure);
  }

  #frame(node: Node, position: number, parent: Frame | undefined): Frame {
    const key = `${node.id},${position},${parent?.id}`;
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      const cost = this.#restCost(node, position) + (parent?.cost ?? 0);
      frame = { id: this.#frames.size, node, position, parent, cost };
      this.#frames.set(key, frame);
    }
    return frame;
  }

  #restCost(node: Node, position: number): number {
    if (node.kind === 'sequence') {
      let cost = 0;
      for (let i = position; i < node.items.length; i++) cost += this.#nodeCosts[node.items[i]!.id]!;
      return cost;
    }
    if (node.kind !== 'repeat' || position >= node.min) return 0;
    return (node.min - position) * this.#nodeCosts[node.item.id]!;
  }

  #config(node: Config['node'], position: number, frame: Frame | undefined): Config {
    const key = `${node.id},${position},${frame?.id}`;
    let config = this.#configs.get(key);
    if (config === undefined) {
      const own = node.kind === 'set' ? 1 : this.#suffixCost(node, position);
      config = { id: this.#configs.size, node, position, frame, cost: own + (frame?.cost ?? 0) };
      this.#configs.set(key, config);
    }
    return config;
  }

  #suffixCost(node: Extract<Node, { kind: 'literal' }>, position: number): number {
    let costs = this.#suffixCosts.get(node);
    if (costs === undefined) {
      costs = this.#suffixCostsOf(node.bytes);
      this.#suffixCosts.set(node, costs);
    }
    return costs[position]!;
  }

  #intern({ configs, isAccepting }: Closure): number {
    const sorted = [...configs].sort((a, b) => a.id - b.id);
    const key = `${isAccepting}${sorted.map(({ id }) => id).join()}`;
    const known = this.#stateIds.get(key);
    if (known !== undefined) return known;
    const id = this.#states.length;
    const cost = isAccepting ? 0 : Math.min(...sorted.map((config) => config.cost));
    this.#states.push({ id, configs: sorted, isAccepting, cost, next: new Int32Array(256).fill(UNKNOWN) });
    this.#stateIds.set(key, id);
    return id;
  }
}

/** What is collected while nodes are opened that need no byte. */
class Closure {
  readonly configs: Set<Config> = new Set();
  isAccepting = false;
  readonly #entered: Map<Node, Set<Frame | undefined>> = new Map();

  get isEmpty(): boolean {
    return this.configs.size === 0 && !this.isAccepting;
  }

  /** False the second time: a node that can match nothing could be opened for ever. */
  enter(node: Node, frame: Frame | undefined): boolean {
    const frames = this.#entered.get(node);
    if (frames?.has(frame)) return false;
    if (frames === undefined) this.#entered.set(node, new Set([frame]));
    else frames.add(frame);
    return true;
  }
}
