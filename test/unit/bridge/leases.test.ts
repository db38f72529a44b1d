import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Leases } from '../../../src/bridge/leases.ts'
import type { Lease, LeaseStore } from '../../../src/bridge/storage/leases.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { StoreError } from '../../../src/core/errors.ts'
import { parseLocationId } from '../../../src/core/ids.ts'
import { silentLog } from '../../support/silent-log.ts'

const A = parseLocationId('a')
const B = parseLocationId('b')
const lease = (locationId: Lease['locationId'], fence = '1'): Lease => ({ locationId, fence })

/** Answers every beat with what the test has set; `work` is what the node did about it. */
function world() {
  const state = {
    held: [] as Lease[],
    excess: 0,
    beats: 0,
    answer: 'well' as 'well' | 'fails' | 'hangs',
    /** Resolves when the location has nothing in hand any more. */
    drained: Promise.resolve(),
  }
  const work: string[] = []
  const store: LeaseStore = {
    tend: () => {
      state.beats += 1
      if (state.answer === 'hangs') return new Promise(() => undefined)
      if (state.answer === 'fails') return Promise.reject(new StoreError('STORE_UNAVAILABLE', 'down'))
      return Promise.resolve({ held: state.held, excess: state.excess })
    },
    release: async (_node, locations) => {
      work.push(`release ${locations?.join() ?? 'all'}`)
      state.held =
        locations === undefined ? [] : state.held.filter((each) => !locations.includes(each.locationId))
      state.excess = 0
    },
  }
  const leasesOf = (isAlone = false) =>
    new Leases({
      leases: store,
      isAlone,
      node: 'n',
      onGained: async ({ locationId, fence }) => void work.push(`gained ${locationId} ${fence}`),
      onLeaving: async (location) => {
        work.push(`leaving ${location}`)
        await state.drained
      },
      onLost: async (location) => void work.push(`lost ${location}`),
      clock: systemClock,
      log: silentLog,
    })
  return { state, work, leasesOf }
}

describe('the leases of a node', () => {
  const { advanceTimersByTimeAsync: pass } = vi
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('are worked for from the first beat on, and let go when they are gone', async () => {
    const { state, work, leasesOf } = world()
    state.held = [lease(A), lease(B)]
    const leases = leasesOf()
    await leases.start()
    expect(leases.held()).toEqual([A, B])
    state.held = [lease(B)]
    await pass(6_000)
    expect(leases.held()).toEqual([B])
    expect(work).toEqual(['gained a 1', 'gained b 1', 'lost a'])
    await leases.stop()
  })

  it('begin anew when the fence has changed: somebody else had the location in between', async () => {
    const { state, work, leasesOf } = world()
    state.held = [lease(A, '1')]
    const leases = leasesOf()
    await leases.start()
    state.held = [lease(A, '5')]
    await pass(6_000)
    expect(work).toEqual(['gained a 1', 'lost a', 'gained a 5'])
    expect(leases.held()).toEqual([A])
    await leases.stop()
  })

  it.each(['fails', 'hangs'] as const)(
    'are not used in the last five seconds of their time when the renewal %s, and come back with it',
    async (answer) => {
      const { state, work, leasesOf } = world()
      state.held = [lease(A)]
      const leases = leasesOf()
      await leases.start()
      state.answer = answer
      await pass(14_900)
      expect(leases.held()).toEqual([A])
      await pass(200)
      expect(leases.held()).toEqual([])
      expect(work).toEqual(['gained a 1', 'lost a'])
      state.answer = 'well'
      await pass(6_000)
      expect(leases.held()).toEqual([A])
      await leases.stop()
    },
  )

  it('are asked for again while a renewal hangs', async () => {
    const { state, leasesOf } = world()
    const leases = leasesOf()
    await leases.start()
    state.answer = 'hangs'
    await pass(14_000)
    expect(state.beats).toBeGreaterThanOrEqual(3)
    const stopped = leases.stop()
    await pass(5_000)
    await stopped
  })

  it('never end where the store belongs to this process alone', async () => {
    const { state, work, leasesOf } = world()
    state.held = [lease(A)]
    const leases = leasesOf(true)
    await leases.start()
    state.answer = 'fails'
    await pass(60_000)
    expect(leases.held()).toEqual([A])
    expect(work).toEqual(['gained a 1'])
    state.answer = 'well'
    await leases.stop()
  })

  it('that are more than its share are given back when what is in hand is finished, and renewed until then', async () => {
    const { state, work, leasesOf } = world()
    state.held = [lease(A), lease(B)]
    const inHand = Promise.withResolvers<void>()
    state.drained = inHand.promise
    const leases = leasesOf()
    await leases.start()
    state.excess = 1
    await pass(6_000)
    const { beats } = state
    await pass(12_000)
    expect(leases.held()).toEqual([A])
    expect(work).toEqual(['gained a 1', 'gained b 1', 'leaving b'])
    expect(state.beats).toBeGreaterThan(beats)
    inHand.resolve()
    await pass(1)
    expect(work.slice(3)).toEqual(['lost b', 'release b'])
    await leases.stop()
  })

  it('are handed over at a stop, after what was in hand', async () => {
    const { state, work, leasesOf } = world()
    state.held = [lease(A)]
    const leases = leasesOf()
    await leases.start()
    await leases.stop()
    expect(work).toEqual(['gained a 1', 'leaving a', 'lost a', 'release a', 'release all'])
    expect(leases.held()).toEqual([])
  })

  it('are looked for at once on a nudge, but a storm of nudges costs two beats a second', async () => {
    const { state, leasesOf } = world()
    const leases = leasesOf()
    await leases.start()
    await pass(1_000)
    const { beats } = state
    leases.nudge()
    await pass(1)
    expect(state.beats).toBe(beats + 1)
    for (let ms = 0; ms < 2_000; ms += 20) {
      leases.nudge()
      await pass(20)
    }
    expect(state.beats - beats).toBeLessThanOrEqual(6)
    await leases.stop()
  })
})
