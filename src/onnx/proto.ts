import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Shape } from './dims.ts';
import { OPS } from './op-table.ts';
import type { OpName } from './op-types.ts';
import type {
  AttributeKind,
  AttributeValue,
  Dtype,
  Graph,
  Initializer,
  Node,
  Subgraph,
  Value,
} from './value.ts';

/** Field numbers of onnx.proto (IR version 10), those that we write. */
const FIELD = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, float: 2, int: 3, graph: 6, ints: 8, type: 20 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { elemType: 1, shape: 2 },
  shape: { dim: 1 },
  dim: { value: 1, param: 2 },
} as const;

const ATTRIBUTE_TYPE = { float: 1, int: 2, graph: 5, ints: 7 } as const;
const EXTERNAL = 1;
const IR_VERSION = 10;
/** 23 is the first with RotaryEmbedding. */
const OPSETS = { '': 23, 'com.microsoft': 1 } as const;

const DATA_TYPE: Readonly<Record<Dtype, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** Bytes of the ModelProto: what `graph.onnx` holds. The same graph gives the same bytes. */
export function encodeModel(graph: Graph): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writer.tag(FIELD.model.irVersion, 0).int64(IR_VERSION);
  writer.tag(FIELD.model.producerName, 2).string('sdfp');
  message(writer, FIELD.model.graph, () => writeGraph(writer, graph));
  for (const [domain, version] of Object.entries(OPSETS)) {
    message(writer, FIELD.model.opsetImport, () => {
      writer.tag(FIELD.opset.domain, 2).string(domain);
      writer.tag(FIELD.opset.version, 0).int64(version);
    });
  }
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, body: () => void): void {
  writer.tag(field, 2).fork();
  body();
  writer.join();
}

function writeGraph(writer: BinaryWriter, graph: Graph): void {
  for (const node of graph.nodes) message(writer, FIELD.graph.node, () => writeNode(writer, node));
  writer.tag(FIELD.graph.name, 2).string('model');
  for (const initializer of graph.initializers) {
    message(writer, FIELD.graph.initializer, () => writeInitializer(writer, initializer));
  }
  for (const input of graph.inputs) message(writer, FIELD.graph.input, () => writeValueInfo(writer, input));
  for (const output of graph.outputs)
    message(writer, FIELD.graph.output, () => writeValueInfo(writer, output));
}

function writeSubgraph(writer: BinaryWriter, name: string, graph: Subgraph): void {
  for (const node of graph.nodes) message(writer, FIELD.graph.node, () => writeNode(writer, node));
  writer.tag(FIELD.graph.name, 2).string(name);
  for (const output of graph.outputs)
    message(writer, FIELD.graph.output, () => writeValueInfo(writer, output));
}

function writeNode(writer: BinaryWriter, node: Node): void {
  for (const input of node.inputs) writer.tag(FIELD.node.input, 2).string(input?.name ?? '');
  for (const output of node.outputs) writer.tag(FIELD.node.output, 2).string(output.name);
  writer.tag(FIELD.node.name, 2).string(node.name);
  writer.tag(FIELD.node.opType, 2).string(node.op);
  for (const [name, value] of Object.entries(node.attributes)) writeAttribute(writer, node, name, value);
  if (node.branches !== undefined) {
    writeBranch(writer, 'then_branch', node.branches.thenBranch);
    writeBranch(writer, 'else_branch', node.branches.elseBranch);
  }
  if (node.domain !== '') writer.tag(FIELD.node.domain, 2).string(node.domain);
}

function writeBranch(writer: BinaryWriter, name: string, branch: Subgraph): void {
  message(writer, FIELD.node.attribute, () => {
    writer.tag(FIELD.attribute.name, 2).string(name);
    message(writer, FIELD.attribute.graph, () => writeSubgraph(writer, name, branch));
    writer.tag(FIELD.attribute.type, 0).int32(ATTRIBUTE_TYPE.graph);
  });
}

function writeAttribute(writer: BinaryWriter, node: Node, name: string, value: AttributeValue): void {
  const kinds: Readonly<Record<string, AttributeKind>> = OPS[node.op as OpName].attributes;
  const kind = kinds[name]!;
  message(writer, FIELD.node.attribute, () => {
    writer.tag(FIELD.attribute.name, 2).string(name);
    if (kind === 'float') writer.tag(FIELD.attribute.float, 5).float(Number(value));
    if (kind === 'int') writer.tag(FIELD.attribute.int, 0).int64(Number(value));
    if (kind === 'dtype') writer.tag(FIELD.attribute.int, 0).int64(DATA_TYPE[value as Dtype]);
    if (kind === 'ints')
      for (const item of value as number[]) writer.tag(FIELD.attribute.ints, 0).int64(item);
    writer.tag(FIELD.attribute.type, 0).int32(ATTRIBUTE_TYPE[kind === 'dtype' ? 'int' : kind]);
  });
}

function writeInitializer(writer: BinaryWriter, { value, data }: Initializer): void {
  for (const dim of value.shape) writer.tag(FIELD.tensor.dims, 0).int64(Number(dim));
  writer.tag(FIELD.tensor.dataType, 0).int32(DATA_TYPE[value.dtype]);
  writer.tag(FIELD.tensor.name, 2).string(value.name);
  if (data.kind === 'inline') {
    writer.tag(FIELD.tensor.rawData, 2).bytes(data.bytes);
    return;
  }
  writeEntry(writer, 'location', data.file);
  writeEntry(writer, 'offset', `${data.offsetBytes}`);
  writeEntry(writer, 'length', `${data.lengthBytes}`);
  writer.tag(FIELD.tensor.dataLocation, 0).int32(EXTERNAL);
}

function writeEntry(writer: BinaryWriter, key: string, value: string): void {
  message(writer, FIELD.tensor.externalData, () => {
    writer.tag(FIELD.entry.key, 2).string(key);
    writer.tag(FIELD.entry.value, 2).string(value);
  });
}

function writeValueInfo(writer: BinaryWriter, value: Value): void {
  writer.tag(FIELD.valueInfo.name, 2).string(value.name);
  message(writer, FIELD.valueInfo.type, () =>
    message(writer, FIELD.type.tensor, () => {
      writer.tag(FIELD.tensorType.elemType, 0).int32(DATA_TYPE[value.dtype]);
      message(writer, FIELD.tensorType.shape, () => writeShape(writer, value.shape));
    }),
  );
}

function writeShape(writer: BinaryWriter, shape: Shape): void {
  for (const dim of shape) {
    message(writer, FIELD.shape.dim, () => {
      if (typeof dim === 'number') writer.tag(FIELD.dim.value, 0).int64(dim);
      else writer.tag(FIELD.dim.param, 2).string(dim);
    });
  }
}
