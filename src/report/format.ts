/** `81%` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}

/** Tokens per second: one decimal below 100, none above. */
export function speed(tokensPerSecond: number): string {
  return tokensPerSecond.toFixed(tokensPerSecond < 100 ? 1 : 0);
}

/** `1.20×` */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}

/** `2.20 ms` */
export function milliseconds(ms: number): string {
  return `${ms.toFixed(2)} ms`;
}

/** `26.2 MB`, in powers of ten; whole bytes below 1 kB. */
export function bytes(count: number): string {
  const units = ['kB', 'MB', 'GB'];
  if (count < 1000) return `${count} bytes`;
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** `1 block`, `12 blocks` */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
