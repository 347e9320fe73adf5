import type { EndEvent } from '../client/index.ts';
import { say } from './dom.ts';
import type { Figures } from './meter.ts';

/** `812 ms`, `2.31 s` */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** A rate, with one digit after the point where it matters. */
export function formatRate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0);
}

export function formatPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

const orDash = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? '–' : format(value);

/** Shows the figures of a run; none of them empties the bar. */
export function showFigures(figures: Partial<Figures> = {}): void {
  say('ttft', orDash(figures.firstTokenMs, formatMs));
  say('rate', orDash(figures.tokensPerSecond, formatRate));
  say(
    'pass',
    orDash(figures.tokensPerPass, (value) => value.toFixed(2)),
  );
  say('accepted', '–');
}

/** Shows what only the end of a run tells. */
export function showAcceptance({ speculation }: EndEvent): void {
  const hasGuesses = speculation !== undefined && speculation.num_draft_tokens > 0;
  say('accepted', hasGuesses ? formatPercent(speculation.draft_acceptance_rate) : '–');
}
