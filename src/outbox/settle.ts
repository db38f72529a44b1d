/** A failed attempt becomes exactly one of: retry, park, bury. One total function, no I/O. */
import type { BridgeError } from '../core/errors.ts'
import { type BackoffPolicy, backoffMs, DELIVERY_BACKOFF, EARLY_STATUS_BACKOFF } from './backoff.ts'

export type Settlement =
  | { readonly kind: 'retry'; readonly inMs: number; readonly mayHaveHappened: boolean }
  | { readonly kind: 'park'; readonly forMs: number }
  | { readonly kind: 'bury' }

/** A parked job looks for itself once in a while, in case the wake-up was lost. */
const PARK_MS = 5 * 60_000

const policyOf = (error: BridgeError): BackoffPolicy =>
  error.code === 'GHL_STATUS_TOO_EARLY' ? EARLY_STATUS_BACKOFF : DELIVERY_BACKOFF

/**
 * @param attempts this one included.
 * @param random in [0, 1).
 */
export function settle(error: BridgeError, attempts: number, random: number): Settlement {
  switch (error.disposition) {
    case 'park':
      return { kind: 'park', forMs: error.retryAfterMs ?? PARK_MS }
    case 'retry': {
      const policy = policyOf(error)
      if (attempts >= policy.maxAttempts) return { kind: 'bury' }
      const inMs = Math.max(error.retryAfterMs ?? 0, backoffMs(policy, attempts, random))
      return { kind: 'retry', inMs, mayHaveHappened: error.certainty === 'unknown' }
    }
    case 'dead':
    case 'refuse':
      return { kind: 'bury' }
  }
}
