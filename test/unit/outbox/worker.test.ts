import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Job, Outbox } from '../../../src/bridge/storage/outbox.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { GhlError, StoreError, WhatsAppError } from '../../../src/core/errors.ts'
import { parseLocationId } from '../../../src/core/ids.ts'
import { OutboxWorker } from '../../../src/outbox/worker.ts'
import { silentLog } from '../../support/silent-log.ts'

const HERE = parseLocationId('here')
const unused = (): never => {
  throw new Error('this should not be called')
}

/** Lanes in memory: a claim takes the head of every lane that nobody has. What was settled, and how, stands in `settled`. */
function world() {
  const lanes = new Map<string, string[]>()
  const taken = new Set<string>()
  const settled: string[] = []
  const handled: string[] = []
  const hooks = {
    onClaim: (): void | Promise<void> => undefined,
    handle: (_job: Job): void | Promise<void> => undefined,
    onDead: (): void => undefined,
    extended: 0,
    isStoreDown: false,
    locations: [HERE],
  }
  const lease = (lane: string): Job | undefined => {
    const subject = lanes.get(lane)?.[0]
    if (subject === undefined) return undefined
    taken.add(lane)
    return {
      jobId: subject,
      lane,
      locationId: HERE,
      token: '1',
      kind: 'inbound',
      subject,
      attempts: 1,
      mayHaveHappened: false,
    }
  }
  const end = (job: Job, how: string): void => {
    settled.push(`${how} ${job.subject}`)
    taken.delete(job.lane)
  }
  const outbox: Outbox = {
    claim: async (limit) => {
      await hooks.onClaim()
      const free = [...lanes.keys()].filter((lane) => !taken.has(lane)).slice(0, limit)
      return { jobs: free.flatMap((lane) => lease(lane) ?? []), nextInMs: undefined }
    },
    extend: async () => {
      hooks.extended += 1
      return true
    },
    complete: async (job) => {
      end(job, 'done')
      lanes.get(job.lane)?.shift()
      return lease(job.lane)
    },
    retry: async (job, ms, failure) => {
      if (hooks.isStoreDown) throw new StoreError('STORE_UNAVAILABLE', 'down')
      end(job, `retry${failure.mayHaveHappened ? '?' : ''} ${ms > 0}`)
    },
    park: async (job, ms, reason) => end(job, `park ${ms} ${reason.code}`),
    bury: async (job) => {
      end(job, 'bury')
      lanes.get(job.lane)?.shift()
    },
    wake: unused,
    depth: unused,
  }
  const handle = async (job: Job): Promise<void> => {
    handled.push(job.subject)
    await hooks.handle(job)
  }
  const worker = new OutboxWorker({
    outbox,
    handlers: {
      inbound: handle,
      outbound: unused,
      ghl_status: unused,
      note: unused,
      contact: unused,
      read: unused,
    },
    locations: () => hooks.locations,
    onDead: async () => {
      hooks.onDead()
    },
    clock: systemClock,
    log: silentLog,
  })
  const enqueue = (lane: string, ...subjects: string[]) => {
    lanes.set(lane, [...(lanes.get(lane) ?? []), ...subjects])
  }
  return { worker, enqueue, settled, handled, hooks }
}

const once = (error: Error) => {
  let isThrown = false
  return () => {
    if (isThrown) return
    isThrown = true
    throw error
  }
}

describe('the outbox worker', () => {
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('works a lane in order, and lanes side by side', async () => {
    const { worker, enqueue, handled, hooks } = world()
    const slow = Promise.withResolvers<void>()
    hooks.handle = (job) => (job.subject === 'a1' ? slow.promise : undefined)
    enqueue('a', 'a1', 'a2')
    enqueue('b', 'b1', 'b2')
    worker.start()
    await pass(10)
    expect(handled).toEqual(['a1', 'b1', 'b2'])
    slow.resolve()
    await pass(10)
    expect(handled).toEqual(['a1', 'b1', 'b2', 'a2'])
    await worker.stop()
  })

  it('does not lose a nudge that comes while it claims', async () => {
    const { worker, enqueue, handled, hooks } = world()
    let isFirst = true
    hooks.onClaim = () => {
      if (!isFirst) return
      isFirst = false
      // After this claim has looked, and before it has answered.
      queueMicrotask(() => {
        queueMicrotask(() => {
          enqueue('a', 'a1')
          worker.nudge()
        })
      })
    }
    worker.start()
    await pass(20)
    expect(handled).toEqual(['a1'])
    await worker.stop()
  })

  it('finishes what is in hand at a stop, takes nothing new, and hands the lane’s next job back', async () => {
    const { worker, enqueue, handled, settled, hooks } = world()
    const slow = Promise.withResolvers<void>()
    hooks.handle = () => slow.promise
    enqueue('a', 'a1', 'a2')
    worker.start()
    await pass(10)
    const stopped = worker.stop()
    enqueue('b', 'b1')
    worker.nudge()
    await pass(100)
    slow.resolve()
    await stopped
    expect(handled).toEqual(['a1'])
    expect(settled).toEqual(['done a1', 'park 0 DRAINING a2'])
  })

  it('does not wait for ever at a stop', async () => {
    const { worker, enqueue, settled, hooks } = world()
    hooks.handle = () => new Promise(() => undefined)
    enqueue('a', 'a1')
    worker.start()
    await pass(10)
    const stopped = worker.stop()
    await pass(15_000)
    await stopped
    expect(settled).toEqual([])
  })

  it('yields what is in hand at one moment, and goes on with what is still its own', async () => {
    const { worker, enqueue, handled, settled, hooks } = world()
    const slow = Promise.withResolvers<void>()
    hooks.handle = (job) => (job.subject === 'a1' ? slow.promise : undefined)
    enqueue('a', 'a1', 'a2')
    worker.start()
    await pass(10)
    let isYielded = false
    const yielded = worker.yield().then(() => {
      isYielded = true
    })
    enqueue('b', 'b1')
    worker.nudge()
    await pass(10)
    expect([handled, isYielded]).toEqual([['a1', 'b1'], false])
    slow.resolve()
    await yielded
    expect(settled).toContain('park 0 DRAINING a2')
    await pass(1_100)
    expect(handled).toEqual(['a1', 'b1', 'a2'])
    await worker.stop()
  })

  it('keeps the lease while a handler takes its time', async () => {
    const { worker, enqueue, hooks } = world()
    const slow = Promise.withResolvers<void>()
    hooks.handle = () => slow.promise
    enqueue('a', 'a1')
    worker.start()
    await pass(35_000)
    expect(hooks.extended).toBe(3)
    slow.resolve()
    await pass(20_000)
    expect(hooks.extended).toBe(3)
    await worker.stop()
  })

  it.each([
    ['retries what may pass', new GhlError('GHL_UNAVAILABLE', ''), 'retry true a1'],
    [
      'remembers what may have happened',
      new GhlError('GHL_TIMEOUT', '', { certainty: 'unknown' }),
      'retry? true a1',
    ],
    ['parks what waits for somebody', new WhatsAppError('WA_OFFLINE', ''), 'park 300000 WA_OFFLINE a1'],
    [
      'parks for as long as it was told',
      new GhlError('GHL_RATE_LIMITED', '', { retryAfterMs: 7 }),
      'park 7 GHL_RATE_LIMITED a1',
    ],
    ['buries what was refused', new GhlError('GHL_REJECTED', ''), 'bury a1'],
    ['buries what is a bug of ours', new TypeError('x is not a function'), 'bury a1'],
  ])('%s', async (_what, error, outcome) => {
    const { worker, enqueue, settled, hooks } = world()
    const told = vi.fn<() => void>()
    hooks.onDead = told
    hooks.handle = once(error)
    enqueue('a', 'a1')
    worker.start()
    await pass(0)
    await worker.stop()
    expect(settled[0]).toBe(outcome)
    expect(told).toHaveBeenCalledTimes(outcome.startsWith('bury') ? 1 : 0)
  })

  it('does not bury what could not be told', async () => {
    const { worker, enqueue, settled, hooks } = world()
    hooks.handle = once(new GhlError('GHL_REJECTED', ''))
    hooks.onDead = () => {
      throw new StoreError('STORE_UNAVAILABLE', 'down')
    }
    enqueue('a', 'a1')
    worker.start()
    await pass(10)
    expect(settled).toEqual([])
    await worker.stop()
  })

  it('goes on when a claim fails, a second later', async () => {
    const { worker, enqueue, handled, hooks } = world()
    let claims = 0
    hooks.onClaim = () => {
      claims += 1
      if (claims <= 2) throw new StoreError('STORE_UNAVAILABLE', 'down')
    }
    enqueue('a', 'a1')
    worker.start()
    await pass(900)
    expect([claims, handled]).toEqual([1, []])
    await pass(1_200)
    expect(handled).toEqual(['a1'])
    await worker.stop()
  })

  it('goes on when a job cannot be settled: its lease ends by itself', async () => {
    const { worker, enqueue, handled, hooks } = world()
    hooks.isStoreDown = true
    hooks.handle = once(new StoreError('STORE_UNAVAILABLE', 'down'))
    enqueue('a', 'a1')
    enqueue('b', 'b1')
    worker.start()
    await pass(10)
    expect(handled).toEqual(['a1', 'b1'])
    await worker.stop()
  })
})
