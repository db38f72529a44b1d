/** How soon a session that lost its connection tries again: what counts as a failure, and what as a fresh start. */
import { type Reaction, reconnectDelayMs } from './disconnect.ts'

/** A connection that lasted this long was a success: the next failure is the first again. */
const SETTLED_MS = 10_000
/** The server asks for a new login once after pairing; asked more often than this, it is a failure like others. */
const FREE_RESTARTS = 3

export class Reconnects {
  #failures = 0
  #restarts = 0
  #openedAtMs: number | undefined

  /** A new run: nothing that went before counts. */
  reset(): void {
    this.#failures = 0
    this.#restarts = 0
  }

  /** A new attempt, not open yet. */
  attempt(): void {
    this.#openedAtMs = undefined
  }

  opened(nowMs: number): void {
    this.#openedAtMs = nowMs
  }

  /** How long to wait before the next attempt. */
  delayMs(reaction: Exclude<Reaction, 'stop'>, nowMs: number): number {
    if (this.#openedAtMs !== undefined && nowMs - this.#openedAtMs >= SETTLED_MS) this.reset()
    if (reaction === 'now') {
      this.#restarts += 1
      if (this.#restarts <= FREE_RESTARTS) return 0
    }
    this.#failures += 1
    return reconnectDelayMs(reaction === 'slow' ? 'slow' : 'backoff', this.#failures, Math.random())
  }
}
