import { describe, expect, test } from 'bun:test';
import type { HeldStream } from '../../src/server/held/held-stream.ts';
import { createHeldStreams, type Owner } from '../../src/server/held/held-streams.ts';

function create(options = { maxStreams: 4, maxPerOwner: 2 }) {
  const streams = createHeldStreams(options);
  const dropped: string[] = [];
  /** Whether there was room. */
  const add = (key: string, owner: Owner, state: Partial<HeldStream> = {}): boolean => {
    if (!streams.makeRoom(owner)) return false;
    const drop = (): void => {
      dropped.push(key);
      streams.delete(key);
    };
    streams.add(key, owner, { read: () => undefined, isRead: false, isComplete: false, drop, ...state });
    return true;
  };
  return { streams, dropped, add };
}

describe('HeldStreams.makeRoom()', () => {
  test('a full server drops complete streams first, whosever they are', () => {
    const { add, dropped } = create();
    add('a1', 'a');
    add('b1', 'b', { isComplete: true, isRead: true }); // its last bytes are on their way
    add('b2', 'b', { isComplete: true });
    add('c1', 'c');
    expect(add('a2', 'a')).toBe(true);
    expect(dropped).toEqual(['b2']);
  });

  test('then the oldest unread one of the same owner, never that of another', () => {
    const { add, dropped } = create({ maxStreams: 4, maxPerOwner: 4 });
    add('a1', 'a', { isRead: true });
    for (const key of ['b1', 'a2', 'a3']) add(key, key[0]!);
    expect(add('a4', 'a')).toBe(true);
    expect(dropped).toEqual(['a2']);
    expect(add('c1', 'c')).toBe(false);
    expect(add('d1', undefined)).toBe(false);
    expect(dropped).toEqual(['a2']);
  });

  test('an owner has no more than a share, and makes room out of it', () => {
    const { add, dropped } = create();
    add('b1', 'b', { isComplete: true });
    for (const key of ['a1', 'a2', 'a3']) expect(add(key, 'a')).toBe(true);
    expect(dropped).toEqual(['a1']);
    const busy = create();
    for (const key of ['a1', 'a2']) busy.add(key, 'a', { isRead: true });
    expect(busy.add('a3', 'a')).toBe(false);
  });

  test('without keys all places are everybody\u2019s, and nobody loses a running stream', () => {
    const { add, dropped } = create();
    for (const key of ['1', '2', '3']) expect(add(key, undefined)).toBe(true);
    add('4', undefined, { isComplete: true });
    expect(add('5', undefined)).toBe(true);
    expect(add('6', undefined)).toBe(false);
    expect(dropped).toEqual(['4']);
  });

  test('dropUnread() leaves those that are read', () => {
    const { add, streams, dropped } = create();
    add('a1', 'a');
    add('b1', 'b', { isRead: true });
    add('c1', 'c', { isComplete: true });
    streams.dropUnread();
    expect(dropped).toEqual(['a1', 'c1']);
    expect(streams.get('b1')).toBeDefined();
  });
});
