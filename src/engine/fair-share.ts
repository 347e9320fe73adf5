/** Generations that belong together, such as the prompts and answers of one request. */
export interface Group {
  readonly key: string | undefined;
  /** Running and waiting. */
  tasks: number;
  running: number;
  /** When it came or last got a place, whichever is later; a count. */
  since: number;
  /** Time that their turns took, in milliseconds, plus the least of the rivals' when it began. */
  servedMs: number;
}

/** A generation's account: what the choice of the next turn looks at. */
export interface Share {
  readonly group: Group;
  /** The same as {@linkcode Group.servedMs}, among the generations of its group. */
  servedMs: number;
}

/**
 * Most generations of one group that run at once: three quarters of the places, so that a group of many leaves some to
 * others: a generation that comes later need not wait until one of them ends.
 */
function runningLimit(maxRunning: number): number {
  return Math.max(1, Math.floor(0.75 * maxRunning));
}

/** Whose turn it is to get a free place: the group that runs the fewest, of several the one that has waited longest. */
export function nextToStart<T extends Share>(waiting: readonly T[], maxRunning: number): T | undefined {
  let next: T | undefined;
  for (const turn of waiting) {
    if (turn.group.running >= runningLimit(maxRunning)) continue;
    if (next === undefined || startsBefore(turn.group, next.group)) next = turn;
  }
  return next;
}

function startsBefore(one: Group, other: Group): boolean {
  return one.running < other.running || (one.running === other.running && one.since < other.since);
}

/** The turn of the least served group, and in it of the least served generation. */
export function leastServed<T extends Share>(turns: readonly T[]): T | undefined {
  let least: T | undefined;
  for (const turn of turns) if (least === undefined || isBefore(turn, least)) least = turn;
  return least;
}

function isBefore(one: Share, other: Share): boolean {
  if (one.group !== other.group) return one.group.servedMs < other.group.servedMs;
  return one.servedMs < other.servedMs;
}

/** The groups that have a generation running or waiting. */
export class Groups {
  readonly #byKey: Map<string, Group> = new Map();
  #clock = 0;

  /** The group of a new generation; without a key one of its own. */
  enter(key: string | undefined): Group {
    const known = key === undefined ? undefined : this.#byKey.get(key);
    const group = known ?? { key, tasks: 0, running: 0, since: this.#clock++, servedMs: 0 };
    group.tasks++;
    if (key !== undefined) this.#byKey.set(key, group);
    return group;
  }

  /** Neither a group nor a generation makes up for the time before it came: both start beside the least served rival. */
  start<T extends Share>(turn: T, running: readonly T[]): void {
    const { group } = turn;
    if (group.running === 0) {
      group.servedMs = Math.max(group.servedMs, leastServed(running)?.group.servedMs ?? 0);
    }
    turn.servedMs = leastServed(running.filter((other) => other.group === group))?.servedMs ?? 0;
    group.running++;
    group.since = this.#clock++;
  }

  leave(group: Group, wasRunning: boolean): void {
    if (wasRunning) group.running--;
    group.tasks--;
    if (group.tasks === 0 && group.key !== undefined) this.#byKey.delete(group.key);
  }
}

/** How many of these generations, given by their groups, run at once. */
export function countRunning(groups: Iterable<string | undefined>, maxRunning: number): number {
  const limit = runningLimit(maxRunning);
  const counts = new Map<string, number>();
  let running = 0;
  for (const group of groups) {
    const count = group === undefined ? 0 : (counts.get(group) ?? 0);
    if (count >= limit) continue;
    if (group !== undefined) counts.set(group, count + 1);
    running++;
  }
  return Math.min(running, maxRunning);
}
