import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import {
  alreadyHere,
  DISCONNECT_RULES,
  isOver,
  LOGGED_OUT_BY_US,
  problemOf,
  QR_EXPIRED,
  reconnectDelayMs,
  restrictionEnd,
  ruleOf,
  STOPPED,
  wrongNumber,
} from '../../../src/whatsapp/disconnect.ts'

describe('what the end of a connection means', () => {
  it.each([
    [515, 'connecting', 'now', false, undefined],
    [428, 'disconnected', 'backoff', false, 'RECONNECTING'],
    [408, 'disconnected', 'backoff', false, 'RECONNECTING'],
    [500, 'disconnected', 'backoff', false, 'RECONNECTING'],
    [503, 'disconnected', 'slow', false, 'RECONNECTING'],
    [401, 'logged_out', 'stop', true, 'LOGGED_OUT'],
    [440, 'replaced', 'stop', false, 'REPLACED'],
    [402, 'restricted', 'stop', false, 'TEMPORARILY_BANNED'],
    [403, 'banned', 'stop', true, 'ACCOUNT_LOCKED'],
    [406, 'banned', 'stop', false, 'BANNED'],
    [405, 'outdated', 'slow', false, 'OUTDATED'],
    [411, 'logged_out', 'stop', true, 'MULTI_DEVICE_OFF'],
    // Unknown, and an end without an error: no proof of anything.
    [599, 'disconnected', 'backoff', false, 'RECONNECTING'],
    [undefined, 'disconnected', 'backoff', false, 'RECONNECTING'],
  ] as const)('%s: %s, %s', (code, status, reaction, forgetsCredentials, problem) => {
    const rule = ruleOf(code)
    expect(rule).toMatchObject({ status, reaction, forgetsCredentials })
    expect(rule.problem?.code).toBe(problem)
  })

  it('goes on by itself after a restriction with an hour, however WhatsApp tells it', () => {
    const nowMs = Date.UTC(2026, 10, 21)
    const tomorrow = new Date(nowMs + 86_400_000)
    expect(restrictionEnd('86400', nowMs)).toEqual(tomorrow)
    expect(restrictionEnd(String(tomorrow.getTime() / 1_000), nowMs)).toEqual(tomorrow)
    for (const none of [undefined, '', '0', '-5', 'soon']) expect(restrictionEnd(none, nowMs)).toBeUndefined()
    expect(ruleOf(402, tomorrow)).toMatchObject({
      status: 'restricted',
      reaction: 'slow',
      problem: { code: 'TEMPORARILY_BANNED', until: tomorrow.toISOString() },
    })
    expect(ruleOf(503, tomorrow)).toEqual(ruleOf(503))
  })

  it('has a test for each row', () => {
    expect([...DISCONNECT_RULES.keys()].sort()).toEqual([
      401, 402, 403, 405, 406, 408, 411, 428, 440, 500, 503, 515,
    ])
  })

  it('says of every trouble in whole sentences what it is and what to do', () => {
    const problems = [...DISCONNECT_RULES.values()].flatMap(({ problem }) => (problem ? [problem] : []))
    problems.push(QR_EXPIRED, LOGGED_OUT_BY_US, STOPPED)
    problems.push(wrongNumber('+15550009999'), alreadyHere('+15550009999', undefined))
    problems.push(problemOf(new StoreError('STORE_UNAVAILABLE', 'The database cannot be reached')))
    for (const { code, message, action } of problems) {
      expect(code).toMatch(/^[A-Z_]+$/)
      expect(message).toMatch(/^[A-Z].+\.$/)
      expect(action).toMatch(/^[A-Z].+\.$/)
    }
  })

  it('waits for a person exactly where it does not go on by itself', () => {
    for (const { status, reaction } of DISCONNECT_RULES.values()) {
      expect(isOver(status)).toBe(reaction === 'stop')
    }
  })
})

describe('the wait before the next attempt', () => {
  const attemptsWithin = (
    reaction: 'backoff' | 'slow',
    limitMs: number,
    randoms: readonly number[],
  ): number => {
    let atMs = 0
    let attempts = 1
    for (const random of randoms) {
      atMs += reconnectDelayMs(reaction, attempts, random)
      if (atMs > limitMs) break
      attempts += 1
    }
    return attempts
  }
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  it('allows fewer than ten attempts in the first five minutes, whatever the dice say', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('backoff' as const, 'slow' as const),
        fc.array(random, { minLength: 40, maxLength: 40 }),
        (reaction, randoms) => attemptsWithin(reaction, 5 * 60_000, randoms) < 10,
      ),
    )
  })

  it('tries again within seconds at first, and never waits longer than its cap', () => {
    expect(reconnectDelayMs('backoff', 1, 0.99)).toBeLessThan(1_300)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), random, (failures, dice) => {
        expect(reconnectDelayMs('backoff', failures, dice)).toBeLessThanOrEqual(150_000)
        expect(reconnectDelayMs('slow', failures, dice)).toBeLessThanOrEqual(1_125_000)
        expect(reconnectDelayMs('slow', failures, dice)).toBeGreaterThanOrEqual(45_000)
      }),
    )
  })

  it('keeps two sessions out of step', () => {
    const waits = [0, 0.25, 0.5, 0.75, 0.999].map((dice) => reconnectDelayMs('backoff', 6, dice))
    expect(new Set(waits).size).toBe(5)
    expect((waits.at(-1) ?? 0) - (waits[0] ?? 0)).toBeGreaterThan(20_000)
  })
})
