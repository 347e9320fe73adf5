import { encodeSafetensorsHeader, type HeaderTensor } from '../hf/safetensors-header.ts';
import { EMBEDDING, HEAD, layerTensorName, tensorShapes } from '../hf/tensor-names.ts';
import type { ModelConfig, ModelFolder, TensorRef } from '../hf/types.ts';
import { TARGET_WEIGHTS_FILE } from '../lib/model-files.ts';
import { BITS, BLOCK_COLUMNS } from './round.ts';
import type { Rounding } from './types.ts';

/** Bytes of a file. */
export interface FilePart {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** A matrix of rounded weights in its file. */
export interface RoundedMatrix {
  /** `layers.3.attn.qkv` */
  readonly name: string;
  /** Checkpoint names of the matrices [out, K] whose rows it joins; a reduced head has some of them. */
  readonly sources: readonly string[];
  /** N */
  readonly rows: number;
  /** K */
  readonly columns: number;
  /** Blocks of a row: K / block size, rounded up. */
  readonly blocks: number;
  /** uint8 [N, blocks, bytes per block] */
  readonly packed: FilePart;
  /** float32 [N, blocks] */
  readonly scales: FilePart;
}

/** A safetensors file of rounded weights: where everything lies follows from the model's sizes and stored types. */
export interface RoundedFile {
  readonly file: string;
  readonly rounding: Rounding;
  /** Length prefix and JSON, which the matrices follow without a gap. */
  readonly header: Uint8Array;
  readonly matrices: readonly RoundedMatrix[];
  /** Tensors as the checkpoint stores them, behind the matrices; none in the file of a draft, which has the target's. */
  readonly kept: ReadonlyMap<string, TensorRef>;
  readonly bytes: number;
}

/** A matrix before it is placed. `rows`: how many of its sources' it holds; default: all. */
interface Product {
  readonly name: string;
  readonly sources: readonly string[];
  readonly rows?: number;
}

/** The file of all products of the model, LM head included, rounded to `rounding`, for drafts of a target as stored. */
export function layoutRoundedFile(config: ModelConfig, rounding: Rounding): RoundedFile {
  return layoutFile(`draft.${rounding}.safetensors`, config, rounding, listProducts(config));
}

/** The file of an LM head that has rows for `numTokens` tokens only. */
export function layoutReducedHead(config: ModelConfig, rounding: Rounding, numTokens: number): RoundedFile {
  const name = `head.${numTokens}`;
  const products = [{ name, sources: [headTensor(config)], rows: numTokens }];
  return layoutFile(`draft.${rounding}.${name}.safetensors`, config, rounding, products);
}

/** The file that stands in for the checkpoint where the target is rounded: its products, and as stored what they leave. */
export function layoutTargetFile({ config, tensors }: Pick<ModelFolder, 'config' | 'tensors'>): RoundedFile {
  const products = listProducts(config);
  const rounded = new Set(products.flatMap(({ sources }) => sources));
  const kept = [...tensors.values()].filter(({ name }) => name === EMBEDDING || !rounded.has(name));
  // 4-byte numbers first, so that each tensor begins at a multiple of its numbers' size.
  const ordered = [...kept.filter(isFloat32), ...kept.filter((tensor) => !isFloat32(tensor))];
  return layoutFile(TARGET_WEIGHTS_FILE, config, 'int4', products, ordered);
}

function isFloat32({ dtype }: TensorRef): boolean {
  return dtype === 'F32';
}

function layoutFile(
  file: string,
  config: ModelConfig,
  rounding: Rounding,
  products: readonly Product[],
  tensors: readonly TensorRef[] = [],
): RoundedFile {
  const shapes = tensorShapes(config);
  let dataBytes = 0;
  const place = (lengthBytes: number): FilePart => {
    dataBytes += lengthBytes;
    return { offsetBytes: dataBytes - lengthBytes, lengthBytes };
  };
  const matrices = products.map(({ name, sources, rows: some }): RoundedMatrix => {
    const columns = shapes.get(sources[0]!)![1]!;
    const rows = some ?? sources.reduce((sum, source) => sum + shapes.get(source)![0]!, 0);
    const blocks = Math.ceil(columns / BLOCK_COLUMNS[rounding]);
    const packed = place(rows * blocks * blockBytes(rounding));
    return { name, sources, rows, columns, blocks, packed, scales: place(rows * blocks * 4) };
  });
  const placed = tensors.map((tensor): TensorRef => ({ ...tensor, file, ...place(tensor.lengthBytes) }));
  const header = encodeSafetensorsHeader([...matrixTensors(matrices, rounding), ...placed]);
  const shift = <T extends FilePart>(part: T): T => ({
    ...part,
    offsetBytes: header.length + part.offsetBytes,
  });
  return {
    file,
    rounding,
    header,
    matrices: matrices.map((m) => ({ ...m, packed: shift(m.packed), scales: shift(m.scales) })),
    kept: new Map(placed.map((tensor) => [tensor.name, shift(tensor)])),
    bytes: header.length + dataBytes,
  };
}

/** Every product with a weight, joined as the graph multiplies them. */
function listProducts(config: ModelConfig): Product[] {
  const layers = Array.from({ length: config.numLayers }, (_, layer): Product[] => {
    const weight = (projection: 'q' | 'k' | 'v' | 'o') =>
      layerTensorName(layer, `self_attn.${projection}_proj.weight`);
    const mlpWeight = (projection: 'gate' | 'up' | 'down') =>
      layerTensorName(layer, `mlp.${projection}_proj.weight`);
    return [
      { name: `layers.${layer}.attn.qkv`, sources: [weight('q'), weight('k'), weight('v')] },
      { name: `layers.${layer}.attn.o`, sources: [weight('o')] },
      { name: `layers.${layer}.mlp.gate_up`, sources: [mlpWeight('gate'), mlpWeight('up')] },
      { name: `layers.${layer}.mlp.down`, sources: [mlpWeight('down')] },
    ];
  });
  return [...layers.flat(), { name: 'head', sources: [headTensor(config)] }];
}

/** Checkpoint name of the LM head. */
export function headTensor({ tiedEmbeddings }: ModelConfig): string {
  return tiedEmbeddings ? 'model.embed_tokens.weight' : HEAD;
}

/** Bytes of a block's packed numbers. */
export function blockBytes(rounding: Rounding): number {
  return (BLOCK_COLUMNS[rounding] * BITS[rounding]) / 8;
}

function matrixTensors(matrices: readonly RoundedMatrix[], rounding: Rounding): HeaderTensor[] {
  return matrices.flatMap(({ name, rows, blocks, packed, scales }): HeaderTensor[] => [
    {
      name: `${name}.packed`,
      dtype: 'U8',
      shape: [rows, blocks, blockBytes(rounding)],
      lengthBytes: packed.lengthBytes,
    },
    { name: `${name}.scales`, dtype: 'F32', shape: [rows, blocks], lengthBytes: scales.lengthBytes },
  ]);
}
