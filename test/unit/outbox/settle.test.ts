import { describe, expect, it } from 'vitest'
import { GhlError, InvariantError, MediaError, WhatsAppError } from '../../../src/core/errors.ts'
import { backoffMs, DELIVERY_BACKOFF, EARLY_STATUS_BACKOFF } from '../../../src/outbox/backoff.ts'
import { settle } from '../../../src/outbox/settle.ts'

describe('settling a failed attempt', () => {
  it('retries what may pass, remembering when the effect is unknown', () => {
    const timeout = new GhlError('GHL_TIMEOUT', 'no answer', { certainty: 'unknown' })
    expect(settle(timeout, 1, 0)).toEqual({ kind: 'retry', inMs: 500, mayHaveHappened: true })
    expect(settle(new GhlError('GHL_UNAVAILABLE', '503'), 1, 0)).toMatchObject({ mayHaveHappened: false })
  })

  it('never retries sooner than the other side asked', () => {
    const error = new GhlError('GHL_UNAVAILABLE', '503', { retryAfterMs: 9_000 })
    expect(settle(error, 1, 0)).toMatchObject({ kind: 'retry', inMs: 9_000 })
  })

  it('parks what waits for someone, without an end', () => {
    const offline = new WhatsAppError('WA_OFFLINE', 'not connected')
    expect(settle(offline, 10_000, 0)).toMatchObject({ kind: 'park' })
    expect(settle(new GhlError('GHL_RATE_LIMITED', '429', { retryAfterMs: 700 }), 1, 0)).toEqual({
      kind: 'park',
      forMs: 700,
    })
  })

  it('buries definite refusals and bugs at once, and anything after the last attempt', () => {
    expect(settle(new GhlError('GHL_REJECTED', '422'), 1, 0)).toEqual({ kind: 'bury' })
    expect(settle(new MediaError('MEDIA_TOO_LARGE', 'too large'), 1, 0)).toEqual({ kind: 'bury' })
    expect(settle(new InvariantError('bug'), 1, 0)).toEqual({ kind: 'bury' })
    const last = DELIVERY_BACKOFF.maxAttempts
    expect(settle(new GhlError('GHL_UNAVAILABLE', '503'), last - 1, 0).kind).toBe('retry')
    expect(settle(new GhlError('GHL_UNAVAILABLE', '503'), last, 0).kind).toBe('bury')
  })

  it('gives an early status call about two minutes, not ten hours', () => {
    const waits = Array.from({ length: EARLY_STATUS_BACKOFF.maxAttempts - 1 }, (_, index) =>
      settle(new GhlError('GHL_STATUS_TOO_EARLY', '403'), index + 1, 0.5),
    )
    const totalMs = waits.reduce((sum, step) => sum + (step.kind === 'retry' ? step.inMs : 0), 0)
    expect(totalMs).toBeGreaterThan(60_000)
    expect(totalMs).toBeLessThan(180_000)
  })

  it('doubles the wait up to its cap, spread over half its length', () => {
    expect([1, 2, 3].map((attempt) => backoffMs(DELIVERY_BACKOFF, attempt, 0))).toEqual([500, 1_000, 2_000])
    expect(backoffMs(DELIVERY_BACKOFF, 1, 0.999)).toBeLessThanOrEqual(1_000)
    expect(backoffMs(DELIVERY_BACKOFF, 500, 0)).toBe(DELIVERY_BACKOFF.capMs / 2)
  })
})
