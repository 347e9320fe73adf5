import type { Manifest } from '../artifact/index.ts';

/** All that a report tells. */
export interface ReportInput {
  readonly manifest: Manifest;
  /** What the build was told, by its name on the command line, in the order shown. */
  readonly settings: readonly ReportSetting[];
  /** What was measured for the report alone; null: nothing. */
  readonly study: Study | null;
}

export interface ReportSetting {
  readonly name: string;
  /** As used, so that nobody has to know the default. */
  readonly value: string;
  readonly isDefault: boolean;
}

/** Measurements that serving does not need, so they are no part of the manifest. */
export interface Study {
  readonly methods: MethodStudy;
  /** Null: there is no draft to run. */
  readonly draft: DraftStudy | null;
  /** Null: the model folder has no tokenizer that could write it. */
  readonly example: ExampleText | null;
}

/** How well every scoring method chooses, at the same numbers of dropped units. */
export interface MethodStudy {
  /** Sequences that the scores come from, and that agreement was measured on. */
  readonly scoredSequences: number;
  readonly heldOutSequences: number;
  /** Positions of the held-out sequences. */
  readonly positions: number;
  readonly methods: readonly MethodAgreement[];
}

export interface MethodAgreement {
  readonly method: string;
  readonly points: readonly AgreementPoint[];
}

/** A draft that a method chose by dropping units, none rounded. */
export interface AgreementPoint {
  /** Units dropped. */
  readonly dropped: number;
  /** Share of the block weights that are left, 0..1: methods that drop half layers keep other shares than those that drop whole ones. */
  readonly keptShare: number;
  /** Share of positions at which the draft's most likely token is the target's, one step ahead on the target's cache. */
  readonly agreement: number;
}

/** A draft, run at several draft lengths. */
export interface DraftStudy {
  /** Of the manifest's drafts. */
  readonly name: string;
  readonly lengths: readonly LengthSpeed[];
  /** At the longest of the lengths. Entry i: share of drafts that reached position i and were accepted there. */
  readonly acceptanceByPosition: readonly number[];
}

export interface LengthSpeed {
  /** Tokens drafted per round; 0: plain decoding. */
  readonly draftLength: number;
  /** By the formula from acceptance and step costs, on top of the measured plain decoding. */
  readonly predictedTokensPerSecond: number;
  readonly measuredTokensPerSecond: number;
}

/** A text of the model with who wrote what. */
export interface ExampleText {
  readonly prompt: string;
  readonly temperature: number;
  readonly seed: number;
  readonly pieces: readonly ExamplePiece[];
}

/** The text that one token made certain; empty for a token inside a character. */
export interface ExamplePiece {
  readonly text: string;
  /** As the engine names it: `draft`, `target`, ... */
  readonly origin: string;
}
