/** One at a time per key, in the order of asking. */
export class Turns {
  readonly #tails = new Map<string, Promise<void>>()

  /** Resolves when all that stands in line now has had its turn. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values())
  }

  async take<T>(key: string, act: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    this.#tails.set(key, over)
    await before
    try {
      return await act()
    } finally {
      end()
      if (this.#tails.get(key) === over) this.#tails.delete(key)
    }
  }
}
