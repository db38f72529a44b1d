/**
 * Which locations this node works for. One beat renews all its leases in one call, takes its share of what is free, and
 * gives back what is more than its share.
 *
 * A lease ends by the database's clock; this node stops using one SAFETY_MS before that by its own monotonic clock, so
 * that it has let go when another takes over. Fences cover what even that cannot: a write that was under way.
 */
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import { type LocationId, parseLocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Lease, LeaseStore } from './storage.ts'

/** Not a location: whoever holds it does what must run on one node only. */
export const CHORES = parseLocationId('bridge-chores')
/** A dead node's locations are taken over after this. */
const LEASE_TTL_MS = 20_000
const BEAT_MS = 5_000
const SAFETY_MS = 5_000

export interface LeasesDeps {
  readonly leases: LeaseStore
  /** The store belongs to this process alone: whoever held a lease before is dead. */
  readonly isAlone: boolean
  readonly node: string
  /** Called before anything is done for the location. */
  readonly onGained: (lease: Lease) => Promise<void>
  /** Resolves when nothing is done for the location any more. */
  readonly onLost: (location: LocationId) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export class Leases {
  readonly #deps: LeasesDeps
  readonly #held = new Map<LocationId, Lease>()
  readonly #stop = new AbortController()
  #usableUntilMs = 0
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
    await Promise.all([...this.#held.keys()].map((location) => this.#drop(location)))
    await this.#deps.leases.release(this.#deps.node)
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps
    while (!this.#stop.signal.aborted) {
      this.#wake = Promise.withResolvers()
      const over = new AbortController()
      await Promise.race([clock.sleep(BEAT_MS, over.signal).catch(() => undefined), this.#wake.promise])
      over.abort(new Error('woken'))
      if (!this.#stop.signal.aborted) await this.#beat()
    }
  }

  async #beat(): Promise<void> {
    const { leases, node, isAlone, log } = this.#deps
    const askedAtMs = performance.now()
    try {
      const { held, excess } = await leases.tend({ node, ttlMs: LEASE_TTL_MS, isAlone })
      this.#usableUntilMs = askedAtMs + LEASE_TTL_MS - SAFETY_MS
      await this.#adopt(held)
      if (excess > 0) await this.#giveBack(excess)
    } catch (thrown) {
      log.warn({ errorCode: toBridgeError(thrown).code }, 'could not renew the leases')
      if (performance.now() >= this.#usableUntilMs) await this.#adopt([])
    }
  }

  /** A location whose fence changed was somebody else's in between: everything of it begins anew. */
  async #adopt(held: readonly Lease[]): Promise<void> {
    const now = new Map(held.map((lease) => [lease.locationId, lease]))
    for (const [location, lease] of this.#held) {
      if (now.get(location)?.fence !== lease.fence) await this.#drop(location)
    }
    for (const lease of held) {
      if (this.#held.has(lease.locationId)) continue
      this.#held.set(lease.locationId, lease)
      await this.#deps.onGained(lease)
    }
  }

  async #drop(location: LocationId): Promise<void> {
    this.#held.delete(location)
    this.#deps.log.info({ locationId: location }, 'location handed over')
    await this.#deps.onLost(location)
  }

  async #giveBack(count: number): Promise<void> {
    const spare = [...this.#held.keys()].slice(-count)
    for (const location of spare) await this.#drop(location)
    await this.#deps.leases.release(this.#deps.node, spare)
  }
}
