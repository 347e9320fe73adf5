/** Ends all of them, one after the other, also where one fails; the first failure is thrown when all had their turn. */
export async function disposeInOrder(ends: readonly (() => PromiseLike<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of ends) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
