/** Voice AI calls of a location, copied from GHL into our store: by page, repeatable, resumed where it was interrupted. */
import type { LocationId } from '../core/ids.ts'

/** One call that a location's Voice AI agent took. */
export interface CallLog {
  readonly callId: string
  readonly agentId: string | undefined
  readonly ghlContactId: string | undefined
  readonly durationSec: number | undefined
  readonly isTrial: boolean
  readonly calledAt: Date
  /** What was said and done, in GHL's own shape: number, summary, transcript, actions, extracted data. Sealed at rest. */
  readonly details: Readonly<Record<string, unknown>>
}

export interface CallLogStore {
  /** Keeps each call once; a later look replaces what was known of it. @returns how many were new. */
  save(locationId: LocationId, calls: readonly CallLog[]): Promise<number>
  /** Newest first. `cursor` is the `nextCursor` of the page before. */
  list(query: {
    readonly locationId: LocationId
    readonly from?: Date
    readonly to?: Date
    /** 1 to 200. */
    readonly limit: number
    readonly cursor?: string
  }): Promise<{ readonly calls: readonly CallLog[]; readonly nextCursor: string | undefined }>
}
