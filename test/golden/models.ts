import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder names below `test/golden/models`. */
export const GOLDEN_MODELS = [
  'smollm2-tied',
  'llama32-ropescaled',
  'mistral-f16',
  'qwen2-tied',
  'qwen3-v5config',
  'llama2-sharded-bf16',
] as const;

export type GoldenModel = (typeof GOLDEN_MODELS)[number];

/** Scores of one half layer: the attention block or the MLP block. */
export interface GoldenBlockScores {
  readonly fit_act_seq: number;
  readonly fit_act_tok: number;
  readonly bi: number;
}

/** Sums over the elements of one parameter tensor. */
export interface GoldenTensorScores {
  readonly shape: readonly number[];
  /** mean over sequences of sum_j g_j^2 */
  readonly grad_sq: number;
  /** mean over sequences of sum_j (g_j W_j)^2 */
  readonly grad_sq_theta_sq: number;
  /** sum_j W_j^2 */
  readonly theta_sq: number;
}

export interface GoldenLayerScores {
  readonly n_params: number;
  readonly trace: number;
  readonly theta_sq_mean: number;
  readonly fit_trace: number;
  readonly fit_diag: number;
  readonly fit_act_seq: number;
  readonly fit_act_tok: number;
  readonly bi: number;
  readonly attn: GoldenBlockScores;
  readonly mlp: GoldenBlockScores;
  /** By checkpoint name without `model.layers.i.`, e.g. `self_attn.q_proj.weight`. */
  readonly tensors: Readonly<Record<string, GoldenTensorScores>>;
}

export interface GoldenFisher {
  readonly loss: string;
  /** The S = 3 calibration sequences. */
  readonly sequences: readonly { readonly text: string; readonly ids: readonly number[] }[];
  /** [L] */
  readonly layers: readonly GoldenLayerScores[];
  /** Per tensor of layer 0: [S] */
  readonly layer0_grad_sq_per_sequence: Readonly<Record<string, readonly number[]>>;
  /** [2L]: `0.attn`, `0.mlp`, `1.attn`, ... */
  readonly units: readonly string[];
  /** [2L][2L], in the order of `units` */
  readonly fit_matrix: readonly (readonly number[])[];
}

interface GoldenDraft {
  /** [V], at the last position of `prompt_ids` */
  readonly logits: readonly number[];
  /** [48], each after `prompt_ids` and the first k ids of `greedy` */
  readonly draft_argmax: readonly number[];
  readonly draft_min_margin: number;
}

export interface GoldenPruned extends GoldenDraft {
  /** Indices of removed layers. */
  readonly drop: readonly number[];
}

export interface GoldenHalfPruned extends GoldenDraft {
  /** Layers without their attention, without their MLP; one of the two is empty. */
  readonly drop_attn: readonly number[];
  readonly drop_mlp: readonly number[];
}

export interface GoldenChat {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly add_generation_prompt: boolean;
  readonly text: string;
  readonly ids: readonly number[];
  readonly ids_transformers?: readonly number[];
}

export interface GoldenTokenizerCase {
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded: string;
  readonly decoded_skip_special: string;
  /** Only where transformers' own class disagrees with tokenizer.json; `ids` is what counts. */
  readonly ids_transformers?: readonly number[];
}

/** golden.json. L layers, V vocabulary with its padding rows, n = length of `prompt_ids`. */
export interface Golden {
  readonly name: GoldenModel;
  readonly about: string;
  readonly made_with: {
    readonly transformers: string;
    readonly torch: string;
    readonly attention: string;
    readonly compute: string;
    readonly weights: string;
    readonly seed: number;
  };
  readonly prompt: string;
  /** [n] */
  readonly prompt_ids: readonly number[];
  /** [3][V], at positions n-3, n-2, n-1 */
  readonly logits: readonly (readonly number[])[];
  /** [48], without the prompt */
  readonly greedy: readonly number[];
  readonly min_margin: number;
  /** Text of `greedy` alone, special tokens kept. */
  readonly decode: string;
  readonly pruned: readonly GoldenPruned[];
  readonly half_pruned: readonly GoldenHalfPruned[];
  /** [3], a sum over the predicted tokens of each of `fisher.sequences` */
  readonly nll: readonly number[];
  readonly fisher: GoldenFisher;
  /** Absent without a chat template. */
  readonly chat?: readonly GoldenChat[];
  /** [12] */
  readonly tokenizer_cases: readonly GoldenTokenizerCase[];
}

/** Absolute path of a golden model's folder. */
export function goldenDir(name: GoldenModel): string {
  return fileURLToPath(new URL(`./models/${name}`, import.meta.url));
}

/** Reads a golden model's recorded values. */
export function readGolden(name: GoldenModel): Golden {
  return JSON.parse(readFileSync(`${goldenDir(name)}/golden.json`, 'utf8')) as Golden;
}

/** Absolute path of the stories model, the one real (trained) model of this repository. */
export const STORIES_DIR: string = fileURLToPath(new URL('../../artifacts/stories', import.meta.url));
