/**
 * Which locations this node works for. One beat renews all its leases in one call, takes its share of what is free, and
 * gives back what is more than its share.
 *
 * A lease ends by the database's clock; this node stops using one SAFETY_MS before that by its own monotonic clock, whether
 * or not the database answers, so that it has let go when another takes over. Fences cover what even that cannot: a write
 * that was under way.
 *
 * States of a location: `held` (work for it) -> `leaving` (nothing new is begun, what is in hand is finished, the lease is
 * still renewed) -> released; or `held` -> lost, where nothing can be waited for. Steps of one location come one after the
 * other; beats never wait for them.
 */
import type { Clock } from '../core/clock.ts'
import { StoreError, toBridgeError } from '../core/errors.ts'
import { type LocationId, parseLocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Lease, LeaseStore } from './storage/leases.ts'

/** Not a location: whoever holds it does what must run on one node only. */
export const CHORES = parseLocationId('bridge-chores')
/** A dead node's locations are taken over after this. */
const LEASE_TTL_MS = 20_000
const BEAT_MS = 5_000
const SAFETY_MS = 5_000
/** An answer this late is not waited for: a second attempt must fit in before the leases end. */
const ANSWER_MS = 4_000
/** Between two beats at least, however many announcements come; and after one that failed. */
const PAUSE_MS = 500

export interface LeasesDeps {
  readonly leases: LeaseStore
  /** The store belongs to this process alone: whoever held a lease before is dead. */
  readonly isAlone: boolean
  readonly node: string
  /** Called before anything is done for the location. */
  readonly onGained: (lease: Lease) => Promise<void>
  /** Before a lease is given back, while it still holds: resolves when what is in hand for the location is finished. */
  readonly onLeaving: (location: LocationId) => Promise<void>
  /** Resolves when nothing is done for the location any more. */
  readonly onLost: (location: LocationId) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export class Leases {
  readonly #deps: LeasesDeps
  readonly #held = new Map<LocationId, Lease>()
  readonly #leaving = new Set<LocationId>()
  /** Of each location, the end of its last step. */
  readonly #steps = new Map<LocationId, Promise<void>>()
  readonly #stop = new AbortController()
  #usableUntilMs = 0
  #expiry: NodeJS.Timeout | undefined
  /** Resolves when the leases run out. */
  #ended = Promise.withResolvers<void>()
  #wake = Promise.withResolvers<void>()
  #loop: Promise<void> = Promise.resolve()

  constructor(deps: LeasesDeps) {
    this.#deps = deps
  }

  /** The locations to work for now; none when the last renewal is too old to be sure. */
  held(): readonly LocationId[] {
    return performance.now() < this.#usableUntilMs ? [...this.#held.keys()] : []
  }

  /** Resolves after the first beat: what is free by then is ours. */
  async start(): Promise<void> {
    await this.#beat()
    await this.#settled()
    this.#loop = this.#run()
  }

  /** Something may have become free, or have appeared. */
  nudge(): void {
    this.#wake.resolve()
  }

  /** Hands everything over: others may take it at once. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the node is stopping'))
    this.nudge()
    await this.#loop
    clearTimeout(this.#expiry)
    for (const location of this.#held.keys()) this.#leave(location)
    await this.#settled()
    await this.#deps.leases.release(this.#deps.node)
  }

  #isStopping(): boolean {
    return this.#stop.signal.aborted
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps
    const { signal } = this.#stop
    let isWell = true
    while (!this.#isStopping()) {
      await clock.sleep(PAUSE_MS, signal).catch(() => undefined)
      const over = new AbortController()
      const rest = isWell ? clock.sleep(BEAT_MS - PAUSE_MS, over.signal).catch(() => undefined) : undefined
      await Promise.race([rest, this.#wake.promise])
      over.abort(new Error('woken'))
      this.#wake = Promise.withResolvers()
      if (!this.#isStopping()) isWell = await this.#beat()
    }
  }

  /** False when the leases could not be renewed. */
  async #beat(): Promise<boolean> {
    const { leases, node, isAlone, log } = this.#deps
    const askedAtMs = performance.now()
    try {
      const { held, excess } = await this.#inTime(leases.tend({ node, ttlMs: LEASE_TTL_MS, isAlone }))
      this.#useUntil(isAlone ? Infinity : askedAtMs + LEASE_TTL_MS - SAFETY_MS)
      this.#adopt(held)
      this.#giveBack(excess)
      return true
    } catch (thrown) {
      log.warn({ errorCode: toBridgeError(thrown).code }, 'could not renew the leases')
      return false
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController()
    const late = this.#deps.clock.sleep(ANSWER_MS, over.signal).then(() => {
      throw new StoreError('STORE_UNAVAILABLE', 'The database does not answer', { certainty: 'unknown' })
    })
    try {
      return await Promise.race([work, late])
    } finally {
      late.catch(() => undefined)
      work.catch(() => undefined)
      over.abort(new Error('answered'))
    }
  }

  /** When the time is up everything is let go, even while the database hangs. */
  #useUntil(untilMs: number): void {
    this.#usableUntilMs = untilMs
    clearTimeout(this.#expiry)
    if (untilMs === Infinity) return
    this.#expiry = setTimeout(() => {
      this.#deps.log.error({}, 'the leases ran out: this node stops working until the database answers')
      this.#adopt([])
      this.#ended.resolve()
      this.#ended = Promise.withResolvers()
    }, untilMs - performance.now())
    this.#expiry.unref()
  }

  /** A location whose fence changed was somebody else's in between: everything of it begins anew. */
  #adopt(held: readonly Lease[]): void {
    const now = new Map(held.map((lease) => [lease.locationId, lease]))
    for (const [location, lease] of this.#held) {
      if (now.get(location)?.fence !== lease.fence) this.#lose(location)
    }
    for (const lease of held) {
      if (!this.#held.has(lease.locationId) && !this.#leaving.has(lease.locationId)) this.#gain(lease)
    }
  }

  #gain(lease: Lease): void {
    this.#held.set(lease.locationId, lease)
    this.#step(lease.locationId, () => this.#deps.onGained(lease))
  }

  #lose(location: LocationId): void {
    this.#held.delete(location)
    this.#deps.log.info({ locationId: location }, 'location lost')
    this.#step(location, () => this.#deps.onLost(location))
  }

  #giveBack(excess: number): void {
    const count = Math.max(0, excess - this.#leaving.size)
    if (count === 0) return
    for (const location of [...this.#held.keys()].slice(-count)) this.#leave(location)
  }

  #leave(location: LocationId): void {
    const { leases, node, log, onLeaving, onLost } = this.#deps
    this.#held.delete(location)
    this.#leaving.add(location)
    this.#step(location, async () => {
      await Promise.race([onLeaving(location), this.#ended.promise])
      await onLost(location)
      log.info({ locationId: location }, 'location handed over')
      await leases.release(node, [location]).finally(() => this.#leaving.delete(location))
    })
  }

  #step(location: LocationId, act: () => Promise<void>): void {
    const before = this.#steps.get(location)
    // Begins at once where nothing is under way: a location counts as held from this moment on.
    const step = (before === undefined ? act() : before.then(act))
      .catch((thrown: unknown) => {
        const { code, cause } = toBridgeError(thrown)
        this.#deps.log.error(
          { locationId: location, errorCode: code, ...(code === 'BUG_INVARIANT' && { err: cause }) },
          'a location could not be taken or handed over as it should',
        )
      })
      .finally(() => {
        if (this.#steps.get(location) === step) this.#steps.delete(location)
      })
    this.#steps.set(location, step)
  }

  async #settled(): Promise<void> {
    while (this.#steps.size > 0) await Promise.all(this.#steps.values())
  }
}
