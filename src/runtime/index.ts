export type { TensorData, TensorLike } from './binding.ts';
export {
  type OpenSessionOptions,
  openSession,
  type Provider,
  type Session,
} from './session.ts';
export { boolTensor, floatTensor, intTensor } from './tensor.ts';
