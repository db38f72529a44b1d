/** Who works for which location. Its promises: messages.ts. */
import type { LocationId } from '../../core/ids.ts'

/** The right to work for a location. A later owner's `fence` is always higher. */
export interface Lease {
  readonly locationId: LocationId
  readonly fence: string
}

/** Leases of nodes on locations; expiry by the database's clock. */
export interface LeaseStore {
  /**
   * Renews every lease of the node, takes its share of the free locations, and says how many are more than its share.
   *
   * @param beat `isAlone`: nobody else can be using this store, so that a lease of another node is a dead one's.
   */
  tend(beat: {
    node: string
    ttlMs: number
    isAlone: boolean
  }): Promise<{ readonly held: readonly Lease[]; readonly excess: number }>
  /** Gives leases back before their time: these, or all of the node's. */
  release(node: string, locations?: readonly LocationId[]): Promise<void>
}

/** Under which fence this node writes for a session; what the leases say goes in here. */
export interface Fences {
  grant(lease: Lease): void
  revoke(location: LocationId): void
}
