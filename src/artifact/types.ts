import type { GenerationDefaults, ModelConfig, TargetPrecision } from '../hf/types.ts';
import type { DraftPlan } from '../plan/types.ts';
import type { EngineSpec } from './engine-spec.ts';

/** What manifest.json says; its fields are described one by one in `manifest.ts`. Letters: L layers. */
export interface Manifest {
  readonly schemaVersion: number;
  /** Version of the package that wrote the artifact. */
  readonly sdfpVersion: string;
  /** Name under which the model is served. */
  readonly name: string;
  readonly files: readonly ArtifactFile[];
  readonly model: ModelConfig;
  readonly generation: GenerationDefaults;
  readonly target: TargetFacts;
  readonly scores: ManifestScores;
  /** Drafts that the scores propose, each with a graph of its own; which one is served is a matter of measured speed. */
  readonly drafts: readonly ManifestDraft[];
  readonly calibration: CalibrationFacts;
  /** Of the target alone; a draft's graph has the same inputs and outputs but for what {@linkcode ManifestDraft} says. */
  readonly engine: EngineSpec;
  /** The one part that differs from build to build. Null: built without measuring. */
  readonly measured: MeasuredFacts | null;
}

/** A file that the artifact relies on. */
export interface ArtifactFile {
  /** Relative to the artifact's folder, with `/`. */
  readonly name: string;
  /** `source`: as the model folder has it; written by the build: `graph`, and `weights`, the rounded ones of target and drafts. */
  readonly role: 'source' | 'graph' | 'weights';
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** Whether the fast mode hashes it too: files under 1 MB. */
  readonly checkedFast: boolean;
}

/** What the target multiplies by. All that is lossless is so against this target. */
export interface TargetFacts {
  readonly precision: TargetPrecision;
  /** What rounding has changed; null where nothing is rounded, or no held-out text was long enough to tell. */
  readonly loss: TargetLoss | null;
}

/** The rounded target beside the model as stored, on text that no score has seen. */
export interface TargetLoss {
  readonly sequences: number;
  /** Predicted tokens. */
  readonly tokens: number;
  /** Mean negative log likelihood of a token in nats, of the model as stored. */
  readonly storedNllPerToken: number;
  /** The same of the target. */
  readonly nllPerToken: number;
  /** Share of positions at which both find the same next token most likely, 0..1. */
  readonly agreement: number;
}

/** Scores of the prunable units; a low score means that removing it matters little. */
export interface ManifestScores {
  readonly method: string;
  /** [2L]: `0.attn`, `0.mlp`, `1.attn`, ... */
  readonly units: readonly { readonly name: string; readonly score: number }[];
  /** [L]: whole layers. */
  readonly layers: readonly number[];
  /** [2L][2L], in the order of `units`; null for methods without interactions. */
  readonly matrix: readonly (readonly number[])[] | null;
}

/** A draft plan and the graph that holds it beside the target. */
export interface ManifestDraft extends DraftPlan {
  /** Unique in the manifest, e.g. `drop-12`, `mixed-65`. */
  readonly name: string;
  /** Share of the block weights that the draft keeps, 0..1. */
  readonly keptShare: number;
  /** Rounded weights that it loads beside the target's. Absent: 0, it shares all. */
  readonly extraBytes?: number;
  /** Predicted by the scores, in nats per token; null or absent: the scoring method predicts none. */
  readonly predictedKl?: number | null;
  /** File name of the graph. */
  readonly graph: string;
  /** Name of the input that runs the draft; null when it differs in nothing. */
  readonly isDraft: string | null;
  /** Cache slots that a draft step writes. */
  readonly slots: readonly number[];
}

/** Text that the scores were taken on. */
export interface CalibrationFacts {
  /** `self`: sampled by the model itself; `file`: given by the person who built it. */
  readonly source: 'self' | 'file';
  /** Of the file's bytes; null for `self`. */
  readonly fileSha256: string | null;
  readonly seed: number;
  readonly sequences: number;
  readonly tokens: number;
  /** Standard error of a unit's score over the score, for the median unit; null: one sequence, or a method that measures nothing. */
  readonly relativeStandardError: number | null;
  /** `stable`: FIT's criterion; `cap`: most sequences allowed; `data`: the file ended; `none`: the method needs no text. */
  readonly stoppedBy: 'stable' | 'cap' | 'data' | 'none';
}

/** What one machine measured at one time. */
export interface MeasuredFacts {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: MachineFacts;
  readonly threads: MeasuredThreads;
  /** Name of the draft that is served; null: none pays on this model, prompt lookup alone guesses. */
  readonly servedDraft: string | null;
  /** `speed`: the fastest of the drafts; `keep`: the person who built it said how much to keep; `none`: no draft pays. */
  readonly chosenBy: 'speed' | 'keep' | 'none';
  /** Accepted / drafted tokens of the served draft; null without one. */
  readonly acceptanceRate: number | null;
  /** Entry i: share of drafts that reached position i and were accepted there. */
  readonly acceptanceByPosition: readonly number[];
  readonly costs: MeasuredCosts;
  /** Without any guesses. */
  readonly plainTokensPerSecond: number;
  /** Without a draft: prompt lookup alone guesses. */
  readonly lookupTokensPerSecond: number;
  readonly predictedTokensPerSecond: number;
  /** Of what is served, prompt lookup included. */
  readonly measuredTokensPerSecond: number;
  readonly candidates: readonly MeasuredCandidate[];
}

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  /** JavaScript runtime and version. */
  readonly runtime: string;
}

/** Thread counts for the session of the served graph, compared on the machine that measured. */
export interface MeasuredThreads {
  /**
   * The fastest, if clearly faster than the default, which the rest of {@linkcode MeasuredFacts} was measured with; null: none
   * was, or none were compared.
   */
  readonly chosen: number | null;
  /** Why no counts were compared; null: they were. */
  readonly skipped: string | null;
  readonly counts: readonly MeasuredThreadCount[];
}

/** What steps cost with a thread count, and the speed that follows; in milliseconds. */
export interface MeasuredThreadCount {
  /** Null: the default, one per physical core or per core that the process may use where these are fewer. */
  readonly threads: number | null;
  /** Null without a draft. */
  readonly draftMs: number | null;
  readonly draftStartMs: number;
  readonly targetMs: number;
  /** Best draft length for these costs; 0: plain decoding. */
  readonly draftLength: number;
  /** Target step of `draftLength` + 1 tokens. */
  readonly verificationMs: number;
  readonly predictedTokensPerSecond: number;
}

/** Milliseconds per step. */
export interface MeasuredCosts {
  /** Null without a draft. */
  readonly draftMs: number | null;
  /** What a round's first draft step takes on top of `draftMs`; 0 without a draft. */
  readonly draftStartMs: number;
  readonly targetMs: number;
  /** Target steps over `width` new tokens. */
  readonly verification: readonly { readonly width: number; readonly ms: number }[];
}

/** What a draft costs and brings. */
export interface MeasuredCandidate {
  /** Name of the draft. */
  readonly name: string;
  /** Null, as the prediction: not measured, for even full acceptance would not make it the fastest. */
  readonly acceptanceRate: number | null;
  readonly draftMs: number;
  /** What a round's first draft step takes on top of `draftMs`. */
  readonly draftStartMs: number;
  readonly predictedTokensPerSecond: number | null;
  /** Null: not run to the end. */
  readonly measuredTokensPerSecond: number | null;
  /** Plain time over speculative time of each round against plain decoding, in order; two passes of equal length. */
  readonly ratios: readonly number[];
}

/** An opened artifact: its files are those that the manifest names. */
export interface Artifact {
  /** Absolute path. */
  readonly dir: string;
  readonly manifest: Manifest;
}
