import { createHash } from 'node:crypto';
import type { Graph, Initializer, InitializerData, Node, Subgraph, Value } from '../../src/onnx/index.ts';

/**
 * SHA-256 (hex) of what a graph computes: operators, attributes, wiring, types, constants and places of weights.
 * Names of nodes and values do not enter, so renaming a scope keeps the digest and changing the mathematics does not.
 */
export function digestGraph(graph: Graph): string {
  return createHash('sha256').update(describeGraph(graph)).digest('hex');
}

/** The text behind {@linkcode digestGraph}, one line per node, for finding out what a change did. */
export function describeGraph(graph: Graph): string {
  const ids = new Map<Value, string>();
  const lines = [
    ...graph.inputs.map((input) => `input ${name(ids, input)} ${input.name} ${input}`),
    ...graph.initializers.map((initializer) => describeInitializer(ids, initializer)),
    ...graph.nodes.flatMap((node) => describeNode(ids, node)),
    ...graph.outputs.map((output) => `output ${output.name} ${name(ids, output)}`),
  ];
  return lines.join('\n');
}

function name(ids: Map<Value, string>, value: Value): string {
  const id = ids.get(value) ?? `%${ids.size}`;
  ids.set(value, id);
  return id;
}

function describeInitializer(ids: Map<Value, string>, { value, data }: Initializer): string {
  return `initializer ${name(ids, value)} ${value} ${describeData(data)}`;
}

function describeData(data: InitializerData): string {
  if (data.kind === 'external') return `${data.file} ${data.offsetBytes} ${data.lengthBytes}`;
  return createHash('sha256').update(data.bytes).digest('hex');
}

function describeNode(ids: Map<Value, string>, node: Node): readonly string[] {
  const inputs = node.inputs.map((input) => (input === undefined ? '-' : name(ids, input)));
  const outputs = node.outputs.map((output) => `${name(ids, output)} ${output}`);
  const branches = node.branches === undefined ? [] : [node.branches.thenBranch, node.branches.elseBranch];
  const line = `${node.domain}${node.op} (${inputs}) ${JSON.stringify(node.attributes)} -> ${outputs}`;
  return [line, ...branches.flatMap((branch) => describeBranch(ids, branch))];
}

function describeBranch(ids: Map<Value, string>, branch: Subgraph): readonly string[] {
  const lines = branch.nodes.flatMap((node) => describeNode(ids, node));
  return ['{', ...lines, `} ${branch.outputs.map((output) => name(ids, output))}`];
}
