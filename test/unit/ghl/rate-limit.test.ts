import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import {
  createRateLimiter,
  type Priority,
  type RateLimiter,
  type Ticket,
} from '../../../src/ghl/rate-limit.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

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

  it('does not let everything wait for the one that goes ahead when that is a slow upload', async () => {
    const { take, tickets, advance } = await known(25)
    await advance(20_000)
    for (let n = 0; n < 4; n++) take()
    await advance(999)
    expect(tickets.length).toBe(2)
    await advance(1)
    expect(tickets.length).toBe(3)
    tickets[2]?.answered(200, limits(25))
    await advance(0)
    expect(tickets.length).toBe(5)
  })

  it('asks as carefully again after a 429, and after an interval without an answer', async () => {
    const { take, tickets, advance } = await known(10)
    take()
    await advance(0)
    tickets[1]?.answered(429, { 'retry-after': '2' })
    for (let n = 0; n < 5; n++) take()
    await advance(2_000)
    expect(tickets.length).toBe(3)
    tickets[2]?.answered(200, limits(10, 6))
    await advance(0)
    expect(tickets.length).toBe(7)
    for (const ticket of tickets) ticket.answered(200, limits(10))
    await advance(11_000)
    for (let n = 0; n < 5; n++) take()
    await advance(0)
    expect(tickets.length).toBe(8)
  })

  it('keeps a place for the interval that the answer tells, not for the one that was expected', async () => {
    const { clock, advance } = createFakeClock()
    const { take, tickets } = createTaker(createRateLimiter(clock))
    take()
    await advance(0)
    tickets[0]?.answered(200, limits(1, undefined, 20_000))
    take()
    await advance(19_999)
    expect(tickets.length).toBe(1)
    await advance(1)
    expect(tickets.length).toBe(2)
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

  it('lets sibling backends go before history', async () => {
    const { take, order, advance, tickets } = await known(1)
    take('history', 'history')
    take('gateway', 'gateway')
    take('live')
    for (let n = 1; n < 4; n++) {
      await advance(10_000)
      tickets[n]?.answered(200, {})
    }
    expect(order).toEqual(['first', 'live', 'gateway', 'history'])
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

  it('keeps the calls of one first message when no live call came for an interval', async () => {
    const { take, tickets, order, advance } = await known(100)
    await advance(10_000)
    for (let n = 0; n < 200; n++) take('gateway', 'gateway')
    await advance(0)
    tickets[1]?.answered(200, limits(100))
    await advance(0)
    expect(tickets.length).toBe(98)
    for (let n = 0; n < 3; n++) take('live')
    await advance(0)
    expect(order.slice(-3)).toEqual(['live', 'live', 'live'])
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

  it.each([
    [
      'a used up day',
      200,
      { 'x-ratelimit-daily-remaining': '0', 'x-ratelimit-daily-reset': '7200000' },
      7_200_000,
    ],
    ['a long Retry-After', 429, { 'retry-after': '3600' }, 3_600_000],
    ['a Retry-After that is a date', 429, { 'retry-after': 'Sat, 21 Nov 2026 00:30:00 GMT' }, 1_800_000],
  ])('sends everybody away who waits when %s begins a long block', async (_, status, headers, waitMs) => {
    const { take, tickets, limiter, advance } = await known(1)
    await advance(10_000)
    take()
    const waiting = (['live', 'gateway', 'history'] as const).map((priority) => limiter.take('loc', priority))
    const gone = Promise.all(
      waiting.map((each) =>
        expect(each).rejects.toMatchObject({ code: 'GHL_RATE_LIMITED', disposition: 'park' }),
      ),
    )
    await advance(0)
    tickets[1]?.answered(status, headers)
    await gone
    await expect(limiter.take('loc', 'live')).rejects.toMatchObject({
      retryAfterMs: status === 429 && waitMs === 1_800_000 ? waitMs - 10_000 : waitMs,
    })
  })

  it.each([
    ['seconds', String(Date.parse('2026-11-21T05:00:00Z') / 1_000), 5 * 3_600_000],
    ['milliseconds', String(Date.parse('2026-11-21T05:00:00Z')), 5 * 3_600_000],
    ['nonsense', '99999999999999999', 24 * 3_600_000],
  ])('reads the end of the day in %s, and never waits for more than a day', async (_, reset, waitMs) => {
    const { tickets, take, limiter, advance } = await known(10)
    take()
    await advance(0)
    tickets[1]?.answered(200, { 'x-ratelimit-daily-remaining': '0', 'x-ratelimit-daily-reset': reset })
    await expect(limiter.take('loc', 'live')).rejects.toMatchObject({ retryAfterMs: waitMs })
  })

  it('refuses no live call because sibling backends and history wait', async () => {
    const { clock, advance } = createFakeClock()
    const limiter = createRateLimiter(clock)
    const refused: string[] = []
    const { take, order } = createTaker(limiter)
    for (const priority of ['gateway', 'history'] as const)
      for (let n = 0; n < 1_000; n++) limiter.take('loc', priority).catch(() => refused.push(priority))
    take('live')
    await advance(1_000)
    expect([order, new Set(refused)]).toEqual([['live'], new Set(['gateway', 'history'])])
  })

  it('keeps a sibling backend waiting for half a minute at most, and says when to come again', async () => {
    const { limiter, advance, tickets, take } = await known(1)
    await advance(10_000)
    take()
    const waiting = limiter.take('loc', 'gateway')
    const refused = expect(waiting).rejects.toMatchObject({ code: 'GHL_RATE_LIMITED', retryAfterMs: 10_000 })
    // Live messages stand before it all the time.
    for (let n = 1; n < 5; n++) {
      await advance(9_000)
      tickets[n]?.answered(200, {})
      take()
      await advance(1_000)
    }
    await refused
  })

  it('forgets a caller that has gone', async () => {
    const { limiter, take, order, advance, tickets } = await known(1)
    const gone = new AbortController()
    const waiting = limiter.take('loc', 'gateway', gone.signal)
    gone.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    take('gateway', 'gateway')
    await advance(10_000)
    expect([order, tickets.length]).toEqual([['first', 'gateway'], 2])
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

  it('keeps the place of a call that waits for a connection, and frees it well after one that has left', async () => {
    const { take, tickets, advance } = await known(1)
    await advance(10_000)
    take()
    await advance(0)
    take()
    await advance(40_000)
    expect(tickets.length).toBe(2)
    tickets[1]?.left()
    await advance(12_999)
    expect(tickets.length).toBe(2)
    await advance(1)
    expect(tickets.length).toBe(3)
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

describe('the day’s requests', () => {
  const today = (remaining: number): IncomingHttpHeaders => ({
    ...limits(100),
    'x-ratelimit-limit-daily': '1000',
    'x-ratelimit-daily-remaining': String(remaining),
    'x-ratelimit-daily-reset': '3600000',
  })

  async function withLeft(remaining: number) {
    const world = await known(100)
    world.take()
    await world.advance(0)
    world.tickets[1]?.answered(200, today(remaining))
    return world
  }

  it('are kept for live traffic when a tenth is left, until the next day', async () => {
    const { limiter, take, tickets, advance } = await withLeft(100)
    await expect(limiter.take('loc', 'history')).rejects.toMatchObject({
      code: 'GHL_RATE_LIMITED',
      disposition: 'park',
      retryAfterMs: 3_600_000,
    })
    take('live')
    await advance(0)
    expect(tickets.length).toBe(3)
    await advance(3_600_000)
    take('history', 'history')
    await advance(0)
    expect(tickets.length).toBe(4)
  })

  it('are spent on history before that', async () => {
    const { take, tickets, advance } = await withLeft(101)
    take('history', 'history')
    await advance(0)
    expect(tickets.length).toBe(3)
  })

  it('send history away that waits for its turn when the reserve is reached', async () => {
    const { limiter, take, tickets, advance } = await known(1)
    await advance(10_000)
    take('live')
    const waiting = limiter.take('loc', 'history')
    await advance(0)
    tickets[1]?.answered(200, today(3))
    await expect(waiting).rejects.toMatchObject({ code: 'GHL_RATE_LIMITED' })
  })

  it('are visible', async () => {
    const { limiter } = await withLeft(40)
    expect(limiter.states().get('loc')).toMatchObject({
      max: 100,
      intervalMs: 10_000,
      used: 2,
      waiting: { live: 0, gateway: 0, history: 0 },
      day: { limit: 1000, remaining: 40, isHistoryStopped: true },
    })
  })
})

describe('a backlog of 1,000 messages at the real limit', () => {
  const MAX = 100
  const INTERVAL_MS = 10_000

  /** GHL's counter: counts a request when it arrives, in fixed windows or sliding. */
  function createCounter(window: 'fixed' | 'sliding', clock: { nowMs(): number }) {
    let startMs = Number.NEGATIVE_INFINITY
    let arrivals: number[] = []
    return (): { allowed: boolean; remaining: number } => {
      const nowMs = clock.nowMs()
      if (window === 'sliding') arrivals = arrivals.filter((atMs) => nowMs - atMs < INTERVAL_MS)
      else if (nowMs - startMs >= INTERVAL_MS) {
        startMs = nowMs
        arrivals = []
      }
      const allowed = arrivals.length < MAX
      if (allowed) arrivals.push(nowMs)
      return { allowed, remaining: MAX - arrivals.length }
    }
  }

  /** @param slowestMs of the way to GHL's door, for the first 100; 20 to 300 ms for the others. */
  async function backlog(window: 'fixed' | 'sliding', slowestMs: number) {
    const { clock, advance } = createFakeClock()
    const limiter = createRateLimiter(clock)
    const count = createCounter(window, clock)
    const startMs = clock.nowMs()
    let left = 1_000
    const told = { refused: 0, tookMs: 0, isDone: false }
    let seed = 7
    /** From 20 ms on, the same in every run. */
    const delayMs = (mostMs: number): number => {
      seed = (seed * 16_807) % 2_147_483_647
      return 20 + (seed % (mostMs - 19))
    }

    const work = async (): Promise<void> => {
      while (left > 0) {
        const isOfTheFirst = 1_000 - left < MAX
        left--
        const ticket = await limiter.take('loc', 'live')
        ticket.left()
        await clock.sleep(delayMs(isOfTheFirst ? slowestMs : 300))
        const { allowed, remaining } = count()
        told.tookMs = clock.nowMs() - startMs
        if (!allowed) told.refused++
        await clock.sleep(delayMs(300))
        ticket.answered(allowed ? 200 : 429, limits(MAX, remaining))
      }
    }
    // As many lanes at once as the outbox works on.
    void Promise.all(Array.from({ length: 64 }, work)).then(() => (told.isDone = true))
    await advance(200_000)
    return told
  }

  it.each(['fixed', 'sliding'] as const)('uses 95 %% of a %s window and meets no 429', async (window) => {
    const { tookMs, ...told } = await backlog(window, 300)
    expect(told).toEqual({ isDone: true, refused: 0 })
    // The last of 1,000 may be counted when nine intervals have passed; 95 % of the allowance is this much later.
    expect(tookMs).toBeLessThan((9 * INTERVAL_MS) / 0.95)
  })

  it.each(['fixed', 'sliding'] as const)(
    'meets no 429 of a %s window that is slow at first',
    async (window) => {
      expect(await backlog(window, 2_500)).toMatchObject({ isDone: true, refused: 0 })
    },
  )
})
