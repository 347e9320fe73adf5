import { SdfpError } from '../lib/errors.ts';
import { Automaton, byteCosts } from './automaton.ts';
import { compileJsonSchema } from './json-schema.ts';
import { leastCosts, MAX_NODES, type Node, NodeBuilder } from './nodes.ts';
import type { GrammarSpec } from './types.ts';

/** Nodes of a grammar, ready for an automaton. */
export interface CompiledGrammar {
  readonly root: Node;
  readonly nodes: readonly Node[];
}

/** Errors: SdfpError `invalid_request` where a schema cannot be kept, is too large, or nothing follows it. */
export function compileGrammar(spec: GrammarSpec): CompiledGrammar {
  const builder = new NodeBuilder(() => {
    throw new SdfpError(
      'invalid_request',
      `Compiling the grammar: it has more than ${MAX_NODES} parts, needs a smaller schema.`,
    );
  });
  const root = compileSpec(builder, spec);
  const { nodes } = builder;
  if (Number.isFinite(leastCosts(nodes, (bytes) => bytes.length)[root.id])) return { root, nodes };
  throw new SdfpError(
    'invalid_request',
    'Compiling the grammar: no text follows it, needs a recursion that can end.',
  );
}

function compileSpec(builder: NodeBuilder, spec: GrammarSpec): Node {
  switch (spec.kind) {
    case 'literal':
      return builder.literal(spec.text);
    case 'json':
      return compileJsonSchema(builder, spec.schema);
    case 'sequence':
      return builder.sequence(...spec.parts.map((part) => compileSpec(builder, part)));
    case 'choice':
      return builder.choice(...spec.options.map((option) => compileSpec(builder, option)));
  }
}

/** Whether `text` is one that the grammar allows. */
export function matchesGrammar(spec: GrammarSpec, text: string): boolean {
  const { root, nodes } = compileGrammar(spec);
  const automaton = new Automaton(root, nodes, byteCosts);
  const state = automaton.walk(automaton.start, new TextEncoder().encode(text));
  return state >= 0 && automaton.state(state).isAccepting;
}
