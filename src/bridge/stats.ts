/** Figures of a stretch of time: what came, what became of it, and how long it took. */
import type { LocationId, SessionId } from '../core/ids.ts'
import type { Ledger } from './storage.ts'

export interface StatsQuery {
  /** One location, else all. */
  readonly locationId?: LocationId
  readonly sessionId?: SessionId
  readonly from: Date
  /** Not included. */
  readonly to: Date
}

/** Milliseconds from our commit: half took at most `p50Ms`, 19 of 20 at most `p95Ms`. */
export interface Timing {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** `toGhl`: a customer's message until GHL had it. `toWhatsApp`: an agent's until WhatsApp's server had it; `toPhone`: until the customer's phone had it. */
export interface Timings {
  readonly toGhl: Timing | null
  readonly toWhatsApp: Timing | null
  readonly toPhone: Timing | null
}

export interface Stats extends Ledger {
  /** Hours in which something came, in order. */
  readonly hours: readonly { readonly at: Date; readonly inbound: number; readonly outbound: number }[]
  readonly timings: Timings
  readonly numbers: readonly (Timings & {
    readonly sessionId: SessionId
    readonly inbound: number
    readonly outbound: number
  })[]
}

export interface StatsStore {
  /** Live messages only: what was imported from the past is not counted. */
  stats(query: StatsQuery): Promise<Stats>
}
