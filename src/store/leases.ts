/** Leases, and the fences that every write for a session carries (sql/0006_leases.sql). */
import { z } from 'zod'
import type { Fences, Lease, LeaseStore } from '../bridge/storage/leases.ts'
import type { LocationId, SessionId } from '../core/ids.ts'
import type { Database } from './database.ts'
import { locationId } from './rows.ts'

const Beat = z.object({
  held: z.array(z.object({ locationId, fence: z.string() })),
  excess: z.number(),
})

export function createLeaseStore({ database }: { database: Database }): LeaseStore {
  return {
    async tend(beat) {
      return Beat.parse(await database.call('tend_leases', beat))
    },
    async release(node, locations) {
      await database.call('release_leases', { node, ...(locations !== undefined && { locations }) })
    },
  }
}

/** Which fence goes with which session: the lease is on its location. */
export class FenceBook implements Fences {
  readonly #fences = new Map<LocationId, string>()
  readonly #locations = new Map<SessionId, LocationId>()

  grant({ locationId, fence }: Lease): void {
    this.#fences.set(locationId, fence)
  }

  revoke(location: LocationId): void {
    this.#fences.delete(location)
  }

  /** Call with every session row that is read. */
  learn(session: { sessionId: SessionId; locationId: LocationId }): void {
    this.#locations.set(session.sessionId, session.locationId)
  }

  /** Null, which no lease ever has, when this node holds none. */
  of(session: string): string | null {
    const location = this.#locations.get(session as SessionId) // a key to look up, not an id to trust
    return (location !== undefined && this.#fences.get(location)) || null
  }
}

/**
 * The same database for writes that only a session's owner may make: each runs under the fence of its session and fails
 * with `STORE_LEASE_LOST` when the lease has changed hands. The arguments must name `sessionId`.
 */
export function fencedDatabase(database: Database, fences: FenceBook): Database {
  return {
    ...database,
    call: (fn, args) => {
      const sessionId = 'sessionId' in args ? String(args.sessionId) : ''
      return database.call('fenced', { fn, args, sessionId, fence: fences.of(sessionId) })
    },
  }
}
