export { GraphBuilder } from './builder.ts';
export type { ConstantData } from './constant.ts';
export { addDims, type Dim, equalDims, equalShapes, formatShape, multiplyDims, type Shape } from './dims.ts';
export type { OpAttributes, Operand, OpInputs, OpMethods, OpName, OpTypes } from './op-types.ts';
export { encodeModel } from './proto.ts';
export {
  type AttributeValue,
  type Dtype,
  type Graph,
  type Initializer,
  type InitializerData,
  type Node,
  type Subgraph,
  type TensorType,
  Value,
} from './value.ts';
