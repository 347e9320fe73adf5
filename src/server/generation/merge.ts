/** Items of all iterables as they come. The first failure ends all; leaving early ends all. */
export async function* merge<T>(iterables: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = iterables.map((iterable) => iterable[Symbol.asyncIterator]());
  const step = async (index: number) => ({ index, result: await iterators[index]!.next() });
  const pending = new Map(iterators.map((_, index) => [index, step(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      // Set again at the end of the map, because a race between ready promises goes to the first.
      pending.delete(index);
      if (result.done) continue;
      pending.set(index, step(index));
      yield result.value;
    }
  } finally {
    // Not awaited: an iterator that waits for its turn ends when the request's signal aborts.
    for (const promise of pending.values()) promise.catch(() => {});
    for (const iterator of iterators) iterator.return?.().catch(() => {});
  }
}
