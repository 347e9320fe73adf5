/** Values from one producer to one consumer, in order. Pushing never waits; the producer bounds what it pushes. */
export class EventQueue<T> {
  readonly #values: T[] = [];
  #end: { readonly error: unknown } | 'closed' | undefined;
  #wake: (() => void) | undefined;

  /** Ignored after the end. */
  push(value: T): void {
    if (this.#end !== undefined) return;
    this.#values.push(value);
    this.#notify();
  }

  /** The consumer gets what is queued, then the end. */
  close(): void {
    this.#end ??= 'closed';
    this.#notify();
  }

  /** What is queued is dropped: the consumer gets `error` next. Ignored after the end. */
  fail(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#values.length = 0;
    this.#notify();
  }

  /** Everything pushed until `close`; throws what `fail` was given. For one consumer. */
  async *drain(): AsyncGenerator<T, void> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift()!;
      if (this.#end === 'closed') return;
      if (this.#end !== undefined) throw this.#end.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
