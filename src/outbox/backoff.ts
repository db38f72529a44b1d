/** When to try again. Pure, so that a test can say what the hundredth attempt waits. */

export interface BackoffPolicy {
  readonly firstMs: number
  readonly capMs: number
  readonly maxAttempts: number
}

/** About ten hours of patience: GHL outages end, and an agent would rather have it late than not. */
export const DELIVERY_BACKOFF: BackoffPolicy = { firstMs: 1_000, capMs: 15 * 60_000, maxAttempts: 50 }

/**
 * GHL refuses status calls for 5 to 10 s after handing a message over, and for ever when the message belongs to another
 * provider (ghl.md 3.3): be quick at first and give up after about two minutes.
 */
export const EARLY_STATUS_BACKOFF: BackoffPolicy = { firstMs: 1_000, capMs: 15_000, maxAttempts: 14 }

/**
 * Milliseconds before the attempt after `attempts` failed ones: doubling from `firstMs` to `capMs`, spread over half its
 * length so that a thousand lanes that failed together do not return together.
 *
 * @param random in [0, 1).
 */
export function backoffMs(policy: BackoffPolicy, attempts: number, random: number): number {
  const fullMs = Math.min(policy.capMs, policy.firstMs * 2 ** Math.min(attempts - 1, 30))
  return Math.round(fullMs / 2 + (fullMs / 2) * random)
}
