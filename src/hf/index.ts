export { parseConfig } from './config.ts';
export { readModelFolder } from './model-folder.ts';
export { readTensor } from './read-tensor.ts';
export {
  EMBEDDING,
  FINAL_NORM,
  HEAD,
  type LayerTensor,
  layerTensorName,
  layerTensorShapes,
  tensorShapes,
} from './tensor-names.ts';
export type * from './types.ts';
