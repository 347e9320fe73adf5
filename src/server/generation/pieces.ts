import type { FinishReason } from '../../api/index.ts';
import type { TokenLogprob, TokenOrigin } from '../../engine/types.ts';
import type { Tally } from './tally.ts';

/** A token's logprobs, and where it stands in the text. */
export interface LogprobEntry {
  readonly id: number;
  /** Null: the first token of a prompt, which nothing comes before. */
  readonly logprob: TokenLogprob | null;
  /** UTF-16 units of the answer (echo included) before it. */
  readonly offset: number;
}

/** A piece of an answer's text with the tokens that it came from. Text that was held back may come without tokens. */
export interface Piece {
  readonly type: 'piece';
  readonly index: number;
  readonly text: string;
  readonly ids: readonly number[];
  readonly origins: readonly TokenOrigin[];
  /** Undefined unless asked for. */
  readonly logprobs: readonly LogprobEntry[] | undefined;
}

/** The end of one answer. */
export interface Finish {
  readonly type: 'finish';
  readonly index: number;
  readonly reason: FinishReason;
  readonly tally: Tally;
}

export type ChoiceEvent = Piece | Finish;

/** Joins what the tokens of a round give, one piece or (`splits`) one per run of the same origin. */
export interface PieceBuilder {
  add(text: string, id: number, origin: TokenOrigin, logprob: LogprobEntry | undefined): void;
  /** The pieces since the last call. */
  take(): Piece[];
}

export function createPieceBuilder(
  index: number,
  options: { splits: boolean; hasLogprobs: boolean },
): PieceBuilder {
  let pieces: PieceParts[] = [];
  const open = (origin: TokenOrigin): PieceParts => {
    const last = pieces.at(-1);
    if (last !== undefined && (!options.splits || last.origins.at(-1) === origin)) return last;
    const piece: PieceParts = { text: '', ids: [], origins: [], logprobs: [] };
    pieces.push(piece);
    return piece;
  };
  return {
    add(text, id, origin, logprob) {
      const piece = open(origin);
      piece.text += text;
      piece.ids.push(id);
      piece.origins.push(origin);
      if (logprob !== undefined) piece.logprobs.push(logprob);
    },
    take() {
      const taken = pieces;
      pieces = [];
      return taken.map((piece) => ({
        type: 'piece',
        index,
        ...piece,
        logprobs: options.hasLogprobs ? piece.logprobs : undefined,
      }));
    },
  };
}

interface PieceParts {
  text: string;
  readonly ids: number[];
  readonly origins: TokenOrigin[];
  readonly logprobs: LogprobEntry[];
}
