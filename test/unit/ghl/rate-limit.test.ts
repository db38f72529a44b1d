import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/core/clock.ts'
import {
  createRateLimiter,
  type Priority,
  type RateLimiter,
  type Ticket,
} from '../../../src/ghl/rate-limit.ts'

/** A clock that stands until it is moved; sleepers wake in order of time. */
function createFakeClock() {
  let nowMs = Date.parse('2026-11-21T00:00:00Z')
  let sleepers: { atMs: number; wake: () => void }[] = []
  const clock: Clock = {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { atMs: nowMs + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper)
          reject(new Error('aborted'))
        })
      }),
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const advance = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms
    for (;;) {
      await settle()
      const next = sleepers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      nowMs = next.atMs
      sleepers = sleepers.filter((other) => other !== next)
      next.wake()
    }
    nowMs = untilMs
    await settle()
  }
  return { clock, advance }
}

const limits = (max: number, remaining?: number, intervalMs = 10_000): IncomingHttpHeaders => ({
  'x-ratelimit-max': String(max),
  'x-ratelimit-interval-milliseconds': String(intervalMs),
  ...(remaining !== undefined && { 'x-ratelimit-remaining': String(remaining) }),
})

/** Takes places and keeps the tickets, so that a test answers them when it likes. */
function createTaker(limiter: RateLimiter) {
  const tickets: Ticket[] = []
  const order: string[] = []
  const take = (name = '', priority: Priority = 'live', location = 'loc') =>
    void limiter.take(location, priority).then((ticket) => {
      tickets.push(ticket)
      order.push(name)
    })
  return { tickets, order, take }
}

async function known(max: number) {
  const time = createFakeClock()
  const limiter = createRateLimiter(time.clock)
  const taker = createTaker(limiter)
  taker.take('first')
  await time.advance(0)
  taker.tickets[0]?.answered(200, limits(max))
  return { ...time, limiter, ...taker }
}

describe('the rate limiter', () => {
  it('lets as many through as the limit allows and the rest one interval after they were counted', async () => {
    const { take, tickets, advance } = await known(5)
    for (let n = 0; n < 6; n++) take()
    await advance(0)
    expect(tickets.length).toBe(5)
    await advance(300)
    for (const ticket of tickets.slice(1)) ticket.answered(200, limits(5))
    await advance(9_699)
    expect(tickets.length).toBe(5)
    // The first call was answered at once, the four others after 300 ms.
    await advance(1)
    expect(tickets.length).toBe(6)
    await advance(300)
    expect(tickets.length).toBe(7)
  })

  it('asks carefully until the first answer has told the real limit', async () => {
    const { clock, advance } = createFakeClock()
    const { take, tickets } = createTaker(createRateLimiter(clock))
    for (let n = 0; n < 40; n++) take()
    await advance(0)
    expect(tickets.length).toBe(10)
    tickets[0]?.answered(200, limits(25))
    await advance(0)
    expect(tickets.length).toBe(25)
  })

  it('starts at 100 per 10 s when GHL says nothing of limits', async () => {
    const { take, tickets, advance } = await (async () => {
      const time = createFakeClock()
      const taker = createTaker(createRateLimiter(time.clock))
      taker.take()
      await time.advance(0)
      taker.tickets[0]?.answered(200, {})
      return { ...time, ...taker }
    })()
    for (let n = 0; n < 150; n++) take()
    await advance(0)
    expect(tickets.length).toBe(100)
  })

  it('is first come, first served, live before history', async () => {
    const { take, order, tickets, advance } = await known(1)
    take('history 1', 'history')
    take('live 1')
    take('live 2')
    take('history 2', 'history')
    for (let n = 1; n < 5; n++) {
      await advance(10_000)
      tickets[n]?.answered(200, {})
    }
    expect(order).toEqual(['first', 'live 1', 'live 2', 'history 1', 'history 2'])
  })

  it('keeps a tenth of the places free of history', async () => {
    const { take, tickets, order, advance } = await known(20)
    for (let n = 0; n < 30; n++) take('history', 'history')
    await advance(0)
    expect(tickets.length).toBe(18)
    take('live')
    await advance(0)
    expect(order.at(-1)).toBe('live')
  })

  it('leaves the places free that another node has used', async () => {
    const { take, tickets, advance } = await known(10)
    take()
    await advance(0)
    tickets[1]?.answered(200, limits(10, 3))
    for (let n = 0; n < 10; n++) take()
    await advance(0)
    expect(tickets.length).toBe(5)
  })

  it('does not take its own calls under way for another node’s', async () => {
    const { take, tickets, advance } = await known(10)
    for (let n = 0; n < 4; n++) take()
    await advance(0)
    for (const ticket of tickets.slice(1)) ticket.answered(200, limits(10, 5))
    for (let n = 0; n < 10; n++) take()
    await advance(0)
    expect(tickets.length).toBe(10)
  })

  it('gives back the place of a call that was refused for its token before it was counted', async () => {
    const { take, tickets, advance } = await known(2)
    take()
    await advance(0)
    tickets[1]?.answered(401, {})
    take()
    await advance(0)
    expect(tickets.length).toBe(3)
  })

  it('stays away as long as a 429 asks', async () => {
    const { take, tickets, advance } = await known(10)
    take()
    await advance(0)
    tickets[1]?.answered(429, { 'retry-after': '7' })
    take()
    await advance(6_999)
    expect(tickets.length).toBe(2)
    await advance(1)
    expect(tickets.length).toBe(3)
  })

  it('says at once how long a wait of more than a minute is', async () => {
    const { take, tickets, limiter, advance } = await known(10)
    take()
    await advance(0)
    tickets[1]?.answered(200, {
      ...limits(10),
      'x-ratelimit-daily-remaining': '0',
      'x-ratelimit-daily-reset': '3600000',
    })
    await expect(limiter.take('loc', 'live')).rejects.toMatchObject({
      code: 'GHL_RATE_LIMITED',
      retryAfterMs: 3_600_000,
    })
  })

  it('gives a place back at once when the request never left, and keeps it when it may have', async () => {
    const { take, tickets, advance } = await known(3)
    take()
    take()
    take()
    await advance(0)
    expect(tickets.length).toBe(3)
    tickets[1]?.lost(false)
    await advance(0)
    expect(tickets.length).toBe(4)
    tickets[2]?.lost(true)
    take()
    await advance(0)
    expect(tickets.length).toBe(4)
  })

  it('counts one end of a place only', async () => {
    const { take, tickets, advance } = await known(2)
    take()
    await advance(0)
    tickets[1]?.answered(200, limits(2))
    tickets[1]?.lost(false)
    take()
    await advance(0)
    expect(tickets.length).toBe(2)
  })

  it('does not let one location wait for another', async () => {
    const { take, order, advance } = await known(1)
    take('waits')
    take('other', 'live', 'another location')
    await advance(0)
    expect(order).toEqual(['first', 'other'])
  })
})
