import type { WriteStream } from 'node:tty';
import { createProgress, type Progress } from './progress.ts';

/** Where a command prints: results on stdout, everything else on stderr, so that a pipe gets the result alone. */
export interface Terminal {
  /** Text of the result, as it is. */
  write(text: string): void;
  /** The result as one line of JSON. */
  writeJson(value: unknown): void;
  /** A line for the person who watches. */
  note(line: string): void;
  readonly progress: Progress;
  readonly paint: Paint;
  /** Width of stdout in columns. */
  readonly columns: number;
}

/** Colours of stdout; plain text where it is no terminal. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string;

/** The streams to print on, and the environment that decides about colours. */
export interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The part of a stream that printing needs. */
export type Output = Pick<NodeJS.WritableStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

const SGR = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** A terminal over two streams. */
export function createTerminal({ stdout, stderr, environment }: TerminalOptions): Terminal {
  const hasColor = isTerminal(stdout) && hasColors(environment);
  return {
    write: (text) => void stdout.write(text),
    writeJson: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    progress: createProgress(stderr, { isLive: isTerminal(stderr) && environment.TERM !== 'dumb' }),
    paint: (style, text) => (hasColor ? `\x1b[${SGR[style][0]}m${text}\x1b[${SGR[style][1]}m` : text),
    columns: stdout.columns ?? 80,
  };
}

/** https://no-color.org: set and not empty means none. */
function hasColors({ NO_COLOR, TERM }: TerminalOptions['environment']): boolean {
  return (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}

function isTerminal(stream: Output): boolean {
  return stream.isTTY === true;
}
