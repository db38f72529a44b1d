/**
 * How many calls of one location's sibling backends may hold a connection to GHL at once. Their bodies come and go at their
 * own pace, for up to a quarter of an hour, and one key's slow uploads must stand in nobody else's way.
 */
import type { Clock } from '../core/clock.ts'
import { GhlError } from '../core/errors.ts'

/** Enough for quick calls to use the whole limit. */
const LINES = 16
/** A caller waits for the answer. */
const PATIENCE_MS = 30_000
/** When to come again: nobody knows when a slow body ends. */
const COME_AGAIN_MS = 10_000

/** Gives the line back. Further calls change nothing. */
export type HangUp = () => void

export class Lines {
  readonly #clock: Clock
  readonly #taken = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Resolves when a line is free; rejects with the reason of `signal` when that fires first.
   *
   * @throws {GhlError} `GHL_RATE_LIMITED` when none has been for half a minute.
   */
  async take(resourceId: string, signal?: AbortSignal): Promise<HangUp> {
    signal?.throwIfAborted()
    const taken = this.#taken.get(resourceId) ?? 0
    if (taken < LINES) this.#taken.set(resourceId, taken + 1)
    else await this.#turn(resourceId, signal)
    let isHeld = true
    return () => {
      if (isHeld) this.#giveBack(resourceId)
      isHeld = false
    }
  }

  /** Whoever waits gets the line from the one who gives it back: it is never free in between. */
  async #turn(resourceId: string, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<'mine'>()
    const queue = this.#waiting.get(resourceId) ?? []
    this.#waiting.set(resourceId, queue)
    const me = () => resolve('mine')
    queue.push(me)
    const over = new AbortController()
    const patience = this.#clock.sleep(
      PATIENCE_MS,
      AbortSignal.any([over.signal, ...(signal ? [signal] : [])]),
    )
    try {
      if ((await Promise.race([promise, patience])) !== 'mine') throw engaged()
    } catch (thrown) {
      const at = queue.indexOf(me)
      // It was given in the same moment.
      if (at < 0) this.#giveBack(resourceId)
      else queue.splice(at, 1)
      throw thrown
    } finally {
      over.abort(new Error('over'))
      if (queue.length === 0) this.#waiting.delete(resourceId)
    }
  }

  #giveBack(resourceId: string): void {
    const next = this.#waiting.get(resourceId)?.shift()
    if (next !== undefined) {
      next()
      return
    }
    const left = (this.#taken.get(resourceId) ?? 0) - 1
    if (left > 0) this.#taken.set(resourceId, left)
    else this.#taken.delete(resourceId)
  }
}

const engaged = (): GhlError =>
  new GhlError('GHL_RATE_LIMITED', 'Too many calls of this location’s backends are under way', {
    retryAfterMs: COME_AGAIN_MS,
    action: 'Let uploads and downloads that are under way come to their end, then ask again.',
  })
