/** Who did what through the API. No bodies, no secrets. */
import type { LocationId } from '../core/ids.ts'

export interface AuditDeed {
  readonly callerKind: 'operator' | 'page' | 'service'
  /** The service key, or the person at GHL behind a page. */
  readonly callerId: string | undefined
  /** Method and route. */
  readonly action: string
  readonly locationId: string | undefined
  /** An id, or the path of a proxied call. */
  readonly target: string | undefined
  /** The HTTP status that the caller got; `aborted` when he hung up before there was one. */
  readonly outcome: string
}

export interface AuditEntry extends AuditDeed {
  /** Higher is later. */
  readonly id: string
  readonly at: Date
  /** Of the service key. */
  readonly callerName: string | undefined
  readonly locationName: string | undefined
  /** Of the key, the number or the installation that it was done to. */
  readonly targetName: string | undefined
}

export interface AuditStore {
  record(deed: AuditDeed): Promise<void>
  /** Newest first. `cursor` is the `nextCursor` of the page before. */
  list(query: {
    readonly locationId?: LocationId
    readonly callerId?: string
    /** 1 to 200. */
    readonly limit: number
    readonly cursor?: string
  }): Promise<{ readonly entries: readonly AuditEntry[]; readonly nextCursor: string | undefined }>
}
