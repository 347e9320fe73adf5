/** One node of a grammar over bytes. `id` is unique within a grammar; nodes may be shared. */
export type Node =
  | { readonly kind: 'literal'; readonly id: number; readonly bytes: Uint8Array }
  /** One byte of a set: entry `byte` is 1 if it is allowed. */
  | { readonly kind: 'set'; readonly id: number; readonly allowed: Uint8Array }
  | { readonly kind: 'sequence'; readonly id: number; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly id: number; readonly options: readonly Node[] }
  /** `max` may be Infinity. */
  | {
      readonly kind: 'repeat';
      readonly id: number;
      readonly item: Node;
      readonly min: number;
      readonly max: number;
    }
  /** Stands for a node that is defined later; makes grammars recursive. */
  | Reference;

export interface Reference {
  readonly kind: 'reference';
  readonly id: number;
  target: Node | undefined;
}

/** Largest grammar: a schema that needs more costs more time than it is worth. */
export const MAX_NODES = 50_000;

/** Makes the nodes of one grammar. `onTooLarge` is called instead of making node number {@linkcode MAX_NODES}. */
export class NodeBuilder {
  readonly #nodes: Node[] = [];
  readonly #onTooLarge: () => never;

  constructor(onTooLarge: () => never) {
    this.#onTooLarge = onTooLarge;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  literal(text: string): Node {
    return this.#add({ kind: 'literal', id: this.#nextId(), bytes: new TextEncoder().encode(text) });
  }

  /** Bytes in inclusive ranges. */
  bytes(...ranges: readonly (readonly [number, number])[]): Node {
    const allowed = new Uint8Array(256);
    for (const [low, high] of ranges) allowed.fill(1, low, high + 1);
    return this.#add({ kind: 'set', id: this.#nextId(), allowed });
  }

  /** One of the ASCII characters of `text`. */
  oneOf(text: string): Node {
    return this.bytes(
      ...[...text].map((character) => [character.charCodeAt(0), character.charCodeAt(0)] as const),
    );
  }

  sequence(...items: readonly Node[]): Node {
    return items.length === 1 ? items[0]! : this.#add({ kind: 'sequence', id: this.#nextId(), items });
  }

  choice(...options: readonly Node[]): Node {
    return options.length === 1 ? options[0]! : this.#add({ kind: 'choice', id: this.#nextId(), options });
  }

  repeat(item: Node, min: number, max: number): Node {
    return this.#add({ kind: 'repeat', id: this.#nextId(), item, min, max });
  }

  optional(item: Node): Node {
    return this.repeat(item, 0, 1);
  }

  reference(): Reference {
    const reference: Reference = { kind: 'reference', id: this.#nextId(), target: undefined };
    this.#add(reference);
    return reference;
  }

  #nextId(): number {
    if (this.#nodes.length >= MAX_NODES) this.#onTooLarge();
    return this.#nodes.length;
  }

  #add(node: Node): Node {
    this.#nodes.push(node);
    return node;
  }
}

/**
 * The least cost of matching each node, by id; Infinity where nothing matches. `costOf(bytes)` is the cost of a literal;
 * a byte of a set costs 1. Least fixed point: recursion that never ends stays infinite.
 */
export function leastCosts(nodes: readonly Node[], costOf: (bytes: Uint8Array) => number): Float64Array {
  const costs = new Float64Array(nodes.length).fill(Number.POSITIVE_INFINITY);
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const node of nodes) {
      const cost = nodeCost(node, costs, costOf);
      if (cost >= costs[node.id]!) continue;
      costs[node.id] = cost;
      hasChanged = true;
    }
  }
  return costs;
}

function nodeCost(node: Node, costs: Float64Array, costOf: (bytes: Uint8Array) => number): number {
  switch (node.kind) {
    case 'literal':
      return costOf(node.bytes);
    case 'set':
      return node.allowed.includes(1) ? 1 : Number.POSITIVE_INFINITY;
    case 'sequence':
      return node.items.reduce((sum, item) => sum + costs[item.id]!, 0);
    case 'choice':
      return node.options.reduce(
        (least, option) => Math.min(least, costs[option.id]!),
        Number.POSITIVE_INFINITY,
      );
    case 'repeat':
      return node.min === 0 ? 0 : node.min * costs[node.item.id]!;
    case 'reference':
      return node.target === undefined ? Number.POSITIVE_INFINITY : costs[node.target.id]!;
  }
}
