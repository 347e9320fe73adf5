/** Shows how far a long command is: one line redrawn in place on a terminal, plain lines now and then elsewhere. */
export interface Progress {
  /** A stage begins; the one before it ends. */
  start(title: string): void;
  /** `share` of the stage done, 0..1, if known: gives a bar and an estimate of the time left. `detail`: numbers worth seeing. */
  update(state: { readonly share?: number; readonly detail?: string }): void;
  /** The stage ends, with what came of it. Without a stage: nothing. */
  finish(summary?: string): void;
}

/** How to show. */
export interface ProgressOptions {
  /** Whether the stream is a terminal whose line can be redrawn. */
  readonly isLive: boolean;
  /** Milliseconds, for tests. */
  readonly now?: () => number;
}

/** Often enough to see life, seldom enough for a log file. */
const PLAIN_INTERVAL_MS = 10_000;
const LIVE_INTERVAL_MS = 100;
const BAR_WIDTH = 20;

interface Stage {
  readonly title: string;
  readonly startedMs: number;
  shownMs: number;
}

/** Progress on `stream`, normally stderr. */
export function createProgress(
  stream: { write(text: string): unknown; readonly columns?: number },
  { isLive, now = () => performance.now() }: ProgressOptions,
): Progress {
  let stage: Stage | undefined;
  const show = (line: string): void => {
    if (isLive) stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
    else stream.write(`${line}\n`);
  };
  const finish = (summary = 'done'): void => {
    if (stage === undefined) return;
    show(`${stage.title}: ${summary} (${formatDuration(now() - stage.startedMs)})`);
    if (isLive) stream.write('\n');
    stage = undefined;
  };
  return {
    start(title) {
      finish();
      stage = { title, startedMs: now(), shownMs: now() };
      show(`${title} ...`);
    },
    update({ share, detail }) {
      if (stage === undefined) return;
      if (now() - stage.shownMs < (isLive ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
      stage.shownMs = now();
      const bar =
        share === undefined ? [] : [drawBar(share, isLive), timeLeft(share, now() - stage.startedMs)];
      show([stage.title, ...bar, detail].filter((part) => part !== undefined && part !== '').join('  '));
    },
    finish,
  };
}

function drawBar(share: number, isLive: boolean): string {
  const percent = `${Math.floor(100 * share)}%`;
  if (!isLive) return percent;
  const filled = Math.round(BAR_WIDTH * Math.min(1, Math.max(0, share)));
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${percent}`;
}

function timeLeft(share: number, elapsedMs: number): string {
  if (share <= 0 || share >= 1) return '';
  return `about ${formatDuration((elapsedMs * (1 - share)) / share)} left`;
}

/** `850 ms`, `12 s`, `3 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
