import type { HeldStream } from './held-stream.ts';

export interface HeldStreamsOptions {
  readonly maxStreams: number;
  /** Of one owner. */
  readonly maxPerOwner: number;
}

/** Who may come back to a stream; undefined: anybody, as nobody has a key. */
export type Owner = string | undefined;

/** The streams that a server holds. */
export interface HeldStreams {
  get(key: string): HeldStream | undefined;
  /**
   * Whether there is room for one more. For its sake complete streams that nobody reads are dropped, the oldest first, then
   * the oldest unread one of the same owner: never a running one of somebody else.
   */
  makeRoom(owner: Owner): boolean;
  add(key: string, owner: Owner, stream: HeldStream): void;
  delete(key: string): void;
  dropUnread(): void;
}

interface Entry {
  readonly owner: Owner;
  readonly stream: HeldStream;
}

export function createHeldStreams({ maxStreams, maxPerOwner }: HeldStreamsOptions): HeldStreams {
  /** In the order in which they began. */
  const entries = new Map<string, Entry>();
  const unread = (): Entry[] => [...entries.values()].filter(({ stream }) => !stream.isRead);

  /** Drops one of those that may go; whether there was one. */
  function dropOne(owner: Owner, isOwnersLimit: boolean): boolean {
    const isOwn = (entry: Entry): boolean => entry.owner === owner;
    const all = isOwnersLimit ? unread().filter(isOwn) : unread();
    // Without keys a running stream may be anybody's.
    const running = owner === undefined ? undefined : all.find(isOwn);
    const victim = all.find(({ stream }) => stream.isComplete) ?? running;
    victim?.stream.drop();
    return victim !== undefined;
  }

  return {
    get: (key) => entries.get(key)?.stream,
    makeRoom(owner) {
      const own = [...entries.values()].filter((entry) => entry.owner === owner).length;
      const isOwnersLimit = owner !== undefined && own >= maxPerOwner;
      return (!isOwnersLimit && entries.size < maxStreams) || dropOne(owner, isOwnersLimit);
    },
    add: (key, owner, stream) => void entries.set(key, { owner, stream }),
    delete: (key) => void entries.delete(key),
    dropUnread() {
      for (const { stream } of unread()) stream.drop();
    },
  };
}
