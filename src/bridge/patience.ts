/**
 * Work on many things of which some meet trouble that may pass: what meets it goes behind the others and is tried again,
 * so that a blip fails nothing and one bad thing holds up none. Ends: a thing is given up after its attempts, and everything
 * when nothing has gone well for minutes.
 */
import type { Clock } from '../core/clock.ts'
import { type BridgeError, toBridgeError } from '../core/errors.ts'

const ATTEMPTS = 5
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000
const PATIENCE_MS = 5 * 60_000

/** Parked for a person, not for time. */
const WAITS_FOR_SOMEBODY = /^GHL_(NEEDS_RECONNECT|NOT_INSTALLED|DEACTIVATED)$/
/** No call was made: nothing is known of the thing itself. */
const NOT_TRIED = /^GHL_(PAUSED|RATE_LIMITED)$/

/** Whether time alone may cure it. */
export const mayPass = ({ code, disposition }: BridgeError): boolean =>
  (disposition === 'retry' || disposition === 'park') && !WAITS_FOR_SOMEBODY.test(code)

export class Patience {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #onPause: () => Promise<void>
  #wellAtMs: number

  /**
   * @param signal ends every pause, and with it the work.
   * @param onPause says that the work is alive; what it throws ends the work.
   */
  constructor(clock: Clock, signal: AbortSignal, onPause: () => Promise<void>) {
    this.#clock = clock
    this.#signal = signal
    this.#onPause = onPause
    this.#wellAtMs = clock.nowMs()
  }

  /** One thing. @throws {BridgeError} what it met in the end. */
  async through<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#well(await act())
      } catch (thrown) {
        const error = toBridgeError(thrown)
        if (NOT_TRIED.test(error.code)) attempt--
        if (!this.#hasMore(error, attempt)) throw error
        await this.#pause(error, attempt)
      }
    }
  }

  /**
   * Many things, `workers` at a time.
   *
   * @param settle told of each once: with what it met in the end, or without when it went well. Not of those that are left
   * when the signal comes.
   */
  async each<Item>(
    items: readonly Item[],
    workers: number,
    act: (item: Item) => Promise<void>,
    settle: (item: Item, error: BridgeError | undefined) => Promise<void>,
  ): Promise<void> {
    const queue = items.map((item) => ({ item, attempt: 1 }))
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined && !this.#signal.aborted; next = queue.shift()) {
        const { item, attempt } = next
        const error = await met(() => act(item))
        if (error === undefined) this.#well(undefined)
        if (error === undefined || !this.#hasMore(error, attempt)) await settle(item, error)
        else {
          queue.push({ item, attempt: NOT_TRIED.test(error.code) ? attempt : attempt + 1 })
          await this.#pause(error, attempt)
        }
      }
    }
    await Promise.all(Array.from({ length: workers }, work))
  }

  #well<T>(result: T): T {
    this.#wellAtMs = this.#clock.nowMs()
    return result
  }

  #hasMore(error: BridgeError, attempt: number): boolean {
    if (this.#signal.aborted || !mayPass(error) || attempt >= ATTEMPTS) return false
    return this.#clock.nowMs() - this.#wellAtMs < PATIENCE_MS
  }

  async #pause({ retryAfterMs }: BridgeError, attempt: number): Promise<void> {
    await this.#onPause()
    const ms = Math.min(LONGEST_PAUSE_MS, retryAfterMs ?? FIRST_PAUSE_MS * 2 ** attempt)
    // Aborted: whoever waits sees the signal itself.
    await this.#clock.sleep(ms, this.#signal).catch(() => undefined)
  }
}

async function met(act: () => Promise<void>): Promise<BridgeError | undefined> {
  try {
    await act()
    return undefined
  } catch (thrown) {
    return toBridgeError(thrown)
  }
}
