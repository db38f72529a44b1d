/** Counts what the server met and did not know, by name, so that a test can insist on none. */
export class Counters {
  readonly #unknown = new Map<string, number>()
  messagesRelayed = 0
  receiptsRelayed = 0
  retriesRequested = 0
  chatStates = 0
  logins = 0
  pairings = 0

  unknown(name: string): void {
    this.#unknown.set(name, (this.#unknown.get(name) ?? 0) + 1)
  }

  unknownStanzas(): Record<string, number> {
    return Object.fromEntries(this.#unknown)
  }
}
