/** Figures of a stretch of time: what came, what became of it, and how long it took. */
import type { LocationId, SessionId } from '../core/ids.ts'
import type { Direction, MessageState, SessionStatus } from '../core/message.ts'
import type { InstallationStatus } from './installations.ts'
import type { Ledger } from './storage/messages.ts'

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
  /** Only where the query names a location or a number. */
  readonly numbers: readonly (Timings & {
    readonly sessionId: SessionId
    readonly inbound: number
    readonly outbound: number
  })[]
}

/** How everything stands at this moment: counts only, of all locations and nodes. */
export interface Census {
  /** Live messages of the last 24 hours by what became of them; what did not happen is left out. */
  readonly messages: readonly {
    readonly direction: Direction
    readonly state: MessageState
    readonly count: number
  }[]
  /** Jobs: to be done as soon as can be, waiting for something outside, given up. */
  readonly queue: {
    readonly waiting: number
    readonly parked: number
    readonly dead: number
    /** Since when the longest of the waiting waits, parked ones aside; null when none does. */
    readonly oldestWaitingMs: number | null
  }
  readonly sessions: readonly { readonly status: SessionStatus; readonly count: number }[]
  readonly installations: readonly { readonly status: InstallationStatus; readonly count: number }[]
}

export interface StatsStore {
  /** Live messages only: what was imported from the past is not counted. */
  stats(query: StatsQuery): Promise<Stats>
  census(): Promise<Census>
}
