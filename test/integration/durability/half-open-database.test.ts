/** Two nodes with real leases and workers on one Postgres; the way of one of them to it goes half open, and heals. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Leases } from '../../../src/bridge/leases.ts'
import type { Job } from '../../../src/bridge/storage/outbox.ts'
import { systemClock } from '../../../src/core/clock.ts'
import type { LocationId } from '../../../src/core/ids.ts'
import { OutboxWorker } from '../../../src/outbox/worker.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { HalfOpenProxy } from '../../support/half-open-proxy.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { envelope, freshPerson, freshPlace, type Place, type Subject, subjectOf } from '../store/subject.ts'

/** The longest a dead node's leases last, with a beat of the other. */
const TAKEOVER_MS = 26_000

interface Handled {
  readonly node: string
  readonly subject: string
  readonly mayHaveHappened: boolean
}

describe('a database behind a half-open connection', () => {
  let target: TestDatabase
  let proxy: HalfOpenProxy
  const closers: (() => Promise<void>)[] = []
  const handled: Handled[] = []
  const places: Place[] = []
  const person = freshPerson()
  let stalled: Node
  let other: Node
  /** What the handlers of a node wait for. */
  const gates = new Map<string, Promise<void>>()

  type Node = Awaited<ReturnType<typeof startNode>>

  async function startNode(name: string, url: string) {
    const patience = { connectTimeoutMs: 1_500, answerTimeoutMs: 2_000 }
    const subject = subjectOf('postgres', await openPostgres(url, silentLog, patience))
    const gained: { location: LocationId; otherHeld: readonly LocationId[] }[] = []
    const leases = new Leases({
      leases: subject.store.leases,
      isAlone: false,
      node: randomUUID(),
      onGained: async ({ locationId }) => {
        gained.push({ location: locationId, otherHeld: name === 'other' ? stalled.leases.held() : [] })
        worker.nudge()
      },
      onLeaving: () => worker.yield(),
      onLost: async () => undefined,
      clock: systemClock,
      log: silentLog,
    })
    const handle = async (job: Job): Promise<void> => {
      handled.push({ node: name, subject: job.subject, mayHaveHappened: job.mayHaveHappened })
      await gates.get(name)
    }
    const worker: OutboxWorker = new OutboxWorker({
      outbox: subject.store.outbox,
      handlers: {
        inbound: handle,
        outbound: handle,
        ghl_status: handle,
        note: handle,
        contact: handle,
        read: handle,
      },
      locations: () => leases.held(),
      onDead: async () => undefined,
      clock: systemClock,
      log: silentLog,
    })
    await leases.start()
    worker.start()
    closers.push(async () => {
      await worker.stop()
      await leases.stop()
      await subject.store.close()
    })
    return { subject, leases, worker, gained }
  }

  const write = async ({ store }: Subject, place: Place) => {
    await store.messages.acceptInbound(envelope(place, person.lid))
  }
  /** Everything is delivered; what one node may have done and another did again is marked as such. */
  const expectAllOnce = async () => {
    await waitFor(
      'an empty outbox',
      async () => (await other.subject.store.outbox.depth()).waiting === 0,
      TAKEOVER_MS,
    )
    const certain = handled.filter(({ mayHaveHappened }) => !mayHaveHappened).map(({ subject }) => subject)
    expect(new Set(certain).size).toBe(certain.length)
    const messages = await other.subject.rows<{ id: string; location_id: string }>(
      'select id, location_id, seq from bridge.messages order by seq',
    )
    for (const { locationId } of places) {
      const inOrder = messages.flatMap(({ id, location_id }) => (location_id === locationId ? [id] : []))
      const first = [...new Set(handled.map(({ subject }) => subject))].filter((id) => inOrder.includes(id))
      expect(first).toEqual(inOrder)
    }
  }

  beforeAll(async () => {
    target = await freshDatabase()
    proxy = await HalfOpenProxy.open(target.url)
    stalled = await startNode('stalled', proxy.urlOf(target.url))
    other = await startNode('other', target.url)
    for (let count = 0; count < 5; count += 1) places.push(await freshPlace(other.subject))
    for (const place of places) await write(other.subject, place)
    await waitFor(
      'both nodes to have their share',
      () => Math.min(stalled.leases.held().length, other.leases.held().length) >= 3,
    )
    await expectAllOnce()
  })
  afterAll(async () => {
    proxy.heal()
    await Promise.all(closers.map((close) => close()))
    await proxy.close()
    await target.drop()
  })

  it('costs the node its leases before their end, the other takes over, and nothing is lost or doubled', async () => {
    const held = stalled.leases.held()
    const theirs = places.filter(({ locationId }) => held.includes(locationId))
    expect(theirs.length).toBeGreaterThan(1)
    const [busy] = theirs
    if (busy === undefined) throw new Error('it has a share')
    // In hand when it happens, and done; but its end cannot be recorded any more.
    const inHand = Promise.withResolvers<void>()
    gates.set('stalled', inHand.promise)
    await write(other.subject, busy)
    await waitFor('a job in hand', () => handled.at(-1)?.node === 'stalled')
    const call = stalled.subject.run('select pg_sleep(1)')
    const failure = expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'unknown' })
    await waitFor('a call under way', async () => {
      const active = await other.subject.rows(
        "select pid from pg_stat_activity where query like '%test_sql%' and wait_event = 'PgSleep'",
      )
      return active.length > 0
    })

    proxy.stall()
    inHand.resolve()
    gates.clear()
    for (const place of places) await write(other.subject, place)
    await failure
    await waitFor('the node to stop using its leases', () => stalled.leases.held().length === 0, 16_000)
    await waitFor('the takeover', () => other.leases.held().length === places.length + 1, TAKEOVER_MS)
    for (const { otherHeld } of other.gained.slice(-held.length)) expect(otherHeld).toEqual([])
    await expectAllOnce()
    expect(handled.filter(({ mayHaveHappened }) => mayHaveHappened)).toMatchObject([{ node: 'other' }])
  }, 60_000)

  it('gives the node its share again when it heals, and everything goes on', async () => {
    proxy.heal()
    await waitFor('its share', () => stalled.leases.held().length >= 3, 20_000)
    await stalled.subject.store.ping()
    for (const place of places) await write(stalled.subject, place)
    await expectAllOnce()
    expect(handled.slice(-places.length).some(({ node }) => node === 'stalled')).toBe(true)
  }, 40_000)
})
