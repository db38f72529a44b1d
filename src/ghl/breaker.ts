/**
 * A circuit breaker per location (or company), so that a location whose GHL keeps failing costs neither it nor us anything:
 *
 * `closed` (calls go through) -> after FAILURES in a row `open` (no call is made; each is told how long to wait, which parks
 * its lane without spending an attempt) -> when the pause is over `probing` (one single call goes through) -> `closed` when
 * GHL answers it, else `open` again for twice as long.
 *
 * A failure is a time-out, no connection, or a 5xx; any other answer, refusals included, shows that GHL works. Of a sibling
 * backend's calls only the answers count: it may ask for what GHL always fails, and its caller may hang up. Libraries
 * for this know neither the pause that the outbox wants to hear of nor a call that ends without having been made.
 */
import type { Clock } from '../core/clock.ts'
import { GhlError } from '../core/errors.ts'

/** How a call ended: GHL answered, GHL failed, or no call was made. */
export type CallEnd = 'answered' | 'failed' | 'not_made'

/** The right to make one call. */
export interface Pass {
  /** @throws {GhlError} `GHL_PAUSED` when the location was given up while the call waited for its turn. */
  check(): void
  /** The first end counts, later ones are passed over. */
  ended(end: CallEnd): void
}

export interface BreakerState {
  readonly state: 'closed' | 'open' | 'probing'
  /** Failures since the last answer. */
  readonly failures: number
  /** End of the pause, milliseconds since the epoch; undefined when closed. */
  readonly retryAtMs: number | undefined
}

export interface Breakers {
  /**
   * @param mayProbe false for a call that tells nothing when it fails: it is let through as soon as the pause is over.
   * @throws {GhlError} `GHL_PAUSED` while the location is left alone.
   */
  enter(resourceId: string, mayProbe?: boolean): Pass
  states(): ReadonlyMap<string, BreakerState>
}

/** A bad request of ours can meet a 500 for ever; this many different ones in a row are no accident. */
const FAILURES = 5
const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 60_000
/** Between two looks of the calls that wait for another one's probe. */
const PROBE_LOOK_MS = 2_000

export function createBreakers(clock: Clock, onClosed: (resourceId: string) => void): Breakers {
  const breakers = new Map<string, Breaker>()
  return {
    enter(resourceId, mayProbe = true) {
      const breaker = breakers.get(resourceId) ?? new Breaker(clock, () => onClosed(resourceId))
      breakers.set(resourceId, breaker)
      return breaker.enter(mayProbe)
    },
    states: () => new Map([...breakers].map(([resourceId, breaker]) => [resourceId, breaker.state()])),
  }
}

class Breaker {
  readonly #clock: Clock
  readonly #onClosed: () => void
  #failures = 0
  #pauseMs = 0
  /** Zero when closed. */
  #openUntilMs = 0
  #probe: symbol | undefined

  constructor(clock: Clock, onClosed: () => void) {
    this.#clock = clock
    this.#onClosed = onClosed
  }

  state(): BreakerState {
    const isOpen = this.#openUntilMs > 0
    return {
      state: this.#probe !== undefined ? 'probing' : isOpen ? 'open' : 'closed',
      failures: this.#failures,
      retryAtMs: isOpen ? this.#openUntilMs : undefined,
    }
  }

  enter(mayProbe: boolean): Pass {
    const me = Symbol('call')
    const refuse = () => (mayProbe ? this.#refuseWhileOpen() : this.#refuseInPause())
    refuse()
    if (mayProbe && this.#openUntilMs > 0) this.#probe = me
    let isOpen = true
    return {
      check: () => {
        if (this.#probe !== me) refuse()
      },
      ended: (end) => {
        if (!isOpen) return
        isOpen = false
        const wasProbe = this.#probe === me
        if (wasProbe) this.#probe = undefined
        if (end === 'answered') this.#close()
        else if (end === 'failed') this.#fail(wasProbe)
      },
    }
  }

  #refuseInPause(): void {
    const leftMs = this.#openUntilMs - this.#clock.nowMs()
    if (leftMs > 0) throw paused(leftMs)
  }

  #refuseWhileOpen(): void {
    this.#refuseInPause()
    if (this.#probe !== undefined) throw paused(PROBE_LOOK_MS)
  }

  #fail(wasProbe: boolean): void {
    this.#failures++
    // Calls that were under way when it opened fail one by one: they tell nothing new.
    if (this.#openUntilMs > 0 && !wasProbe) return
    if (this.#failures < FAILURES) return
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs === 0 ? FIRST_PAUSE_MS : 2 * this.#pauseMs)
    this.#openUntilMs = this.#clock.nowMs() + this.#pauseMs
  }

  #close(): void {
    const wasOpen = this.#openUntilMs > 0
    this.#failures = 0
    this.#pauseMs = 0
    this.#openUntilMs = 0
    if (wasOpen) this.#onClosed()
  }
}

const paused = (retryAfterMs: number): GhlError =>
  new GhlError('GHL_PAUSED', 'GHL keeps failing for this location, so it is left alone for a moment', {
    retryAfterMs,
    action: 'Nothing to do: one call at a time looks whether GHL works again.',
  })
