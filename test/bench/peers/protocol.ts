/** How a peer generates. `together`: the prompts, or copies of one, in a batch; the others one prompt after another. */
export type Mode = 'plain' | 'draft' | 'lookup' | 'together';

export type Precision = 'f32' | '8 bit' | '4 bit';

/** What a program of a peer reads from standard input to generate greedily, end tokens passed. */
export interface Job {
  /** File or folder of the weights. */
  readonly model: string;
  /** Weights of a draft, where `mode` is `draft` and the peer needs a second model. */
  readonly draftModel: string | null;
  readonly precision: Precision;
  readonly mode: Mode;
  readonly threads: number;
  readonly contextTokens: number;
  /** [N][length of prompt] token ids; the first is generated once before anything is timed. */
  readonly prompts: readonly (readonly number[])[];
  /** Generated per prompt. */
  readonly tokens: number;
}

export interface Generation {
  /** [tokens], without the prompt. */
  readonly ids: readonly number[];
  /** From the call to the last token, prompt included. */
  readonly ms: number;
  /** From the first tokens to the last. */
  readonly decodeMs: number;
  /** Tokens generated in `decodeMs`: all but those that came first. */
  readonly decoded: number;
}

/** The last line that a program writes. */
export interface Answer {
  /** From the start of loading the model until it can generate. */
  readonly loadMs: number;
  /** In the order of prompts. */
  readonly generations: readonly Generation[];
}

/** What a program reads to make the peer's own files of a model. */
export interface Preparation {
  readonly modelDir: string;
  /** An empty folder. */
  readonly out: string;
}
