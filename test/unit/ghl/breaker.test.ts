import { describe, expect, it } from 'vitest'
import { type CallEnd, createBreakers } from '../../../src/ghl/breaker.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

function world() {
  const time = createFakeClock()
  const closed: string[] = []
  const breakers = createBreakers(time.clock, (resourceId) => closed.push(resourceId))
  const call = (end: CallEnd, location = 'loc') => {
    breakers.enter(location).ended(end)
  }
  const fail = (times: number, location = 'loc') => {
    for (let n = 0; n < times; n++) call('failed', location)
  }
  return { ...time, breakers, closed, call, fail, state: () => breakers.states().get('loc') }
}

describe('the circuit breaker', () => {
  it('opens after five failures in a row, and tells how long to wait without spending an attempt', () => {
    const { breakers, fail, state } = world()
    fail(5)
    expect(() => breakers.enter('loc')).toThrow(
      expect.objectContaining({ code: 'GHL_PAUSED', disposition: 'park', retryAfterMs: 2_000 }),
    )
    expect(state()).toMatchObject({ state: 'open', failures: 5 })
  })

  it('stays closed while some calls are answered, be it with a refusal', () => {
    const { call, fail, state } = world()
    fail(4)
    call('answered')
    fail(4)
    expect(state()).toMatchObject({ state: 'closed', failures: 4 })
  })

  it('lets a single call look when the pause is over, and waits twice as long when it fails', async () => {
    const { breakers, fail, advance, state } = world()
    fail(5)
    await advance(2_000)
    const probe = breakers.enter('loc')
    expect(state()?.state).toBe('probing')
    expect(() => breakers.enter('loc')).toThrow(expect.objectContaining({ code: 'GHL_PAUSED' }))
    probe.ended('failed')
    expect(() => breakers.enter('loc')).toThrow(expect.objectContaining({ retryAfterMs: 4_000 }))
  })

  it('never pauses for more than a minute', async () => {
    const { breakers, fail, advance, clock, state } = world()
    fail(5)
    for (let n = 0; n < 12; n++) {
      await advance((state()?.retryAtMs ?? 0) - clock.nowMs())
      breakers.enter('loc').ended('failed')
    }
    expect((state()?.retryAtMs ?? 0) - clock.nowMs()).toBe(60_000)
  })

  it('closes when GHL answers the probe, says so once, and starts from the shortest pause again', async () => {
    const { breakers, closed, call, fail, advance } = world()
    fail(5)
    await advance(2_000)
    call('answered')
    call('answered')
    expect(closed).toEqual(['loc'])
    fail(5)
    expect(() => breakers.enter('loc')).toThrow(expect.objectContaining({ retryAfterMs: 2_000 }))
  })

  it('lets the next call look when the probe was not made', async () => {
    const { breakers, fail, advance, state } = world()
    fail(5)
    await advance(2_000)
    breakers.enter('loc').ended('not_made')
    breakers.enter('loc')
    expect(state()?.state).toBe('probing')
  })

  it('does not wait longer for the calls that were under way when it opened', () => {
    const { breakers, state } = world()
    const passes = Array.from({ length: 20 }, () => breakers.enter('loc'))
    for (const pass of passes) pass.ended('failed')
    expect(() => breakers.enter('loc')).toThrow(expect.objectContaining({ retryAfterMs: 2_000 }))
    expect(state()?.failures).toBe(20)
  })

  it('stops the calls that wait for their turn at the limiter, but not the probe', async () => {
    const { breakers, fail, advance } = world()
    const waiting = breakers.enter('loc')
    fail(5)
    expect(() => {
      waiting.check()
    }).toThrow(expect.objectContaining({ code: 'GHL_PAUSED' }))
    await advance(2_000)
    const probe = breakers.enter('loc')
    probe.check()
  })

  it('never has a sibling backend look, but lets its calls through after the pause, and closes for their answer', async () => {
    const { breakers, fail, advance, state } = world()
    fail(5)
    expect(() => breakers.enter('loc', false)).toThrow(expect.objectContaining({ code: 'GHL_PAUSED' }))
    await advance(2_000)
    const passedOn = breakers.enter('loc', false)
    expect(state()?.state).toBe('open')
    const probe = breakers.enter('loc')
    breakers.enter('loc', false).check()
    probe.ended('not_made')
    passedOn.ended('answered')
    expect(state()?.state).toBe('closed')
  })

  it('of one location leaves the others alone', () => {
    const { call, fail, breakers } = world()
    fail(5)
    call('answered', 'other')
    expect(breakers.states().get('other')?.state).toBe('closed')
  })
})
