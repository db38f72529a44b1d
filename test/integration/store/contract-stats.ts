import { describe, expect, it } from 'vitest'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  messageIdOf,
  type Place,
  partsOf,
  type Subject,
} from './subject.ts'

const DAY_MS = 24 * 60 * 60_000

export function describeStats(subject: () => Subject): void {
  const messages = () => subject().store.messages
  const lastDay = (place: Place) => {
    const nowMs = Date.now()
    return { locationId: place.locationId, from: new Date(nowMs - DAY_MS), to: new Date(nowMs + 60_000) }
  }
  const stats = (place: Place) => subject().store.stats.stats(lastDay(place))

  /** Sends one agent's message and lets it come as far as said, two and six seconds after it was written. */
  async function sent(place: Place): Promise<void> {
    const [part] = partsOf('hello')
    if (part === undefined) throw new Error('one part')
    await messages().acceptOutbound(agentMessage(place), [part])
    const job = (await subject().store.outbox.claim(1, 60_000)).jobs[0]
    if (job === undefined) throw new Error('no job')
    const { sessionId } = place
    const reserved = { sessionId, chat: freshPerson().lid, composed: Buffer.from('bytes') }
    await messages().reserve(messageIdOf(job), reserved)
    await messages().advance(sessionId, [part.waMessageId], 'sent')
    await messages().advance(sessionId, [part.waMessageId], 'read')
    await subject().run(
      `update bridge.messages set acked_at = created_at + interval '2 seconds', arrived_at = created_at + interval '6 seconds'
       where location_id = '${place.locationId}'`,
    )
  }

  describe('figures', () => {
    it('count what came, what became of it, and how long it took', async () => {
      const place = await freshPlace(subject())
      await sent(place)
      await messages().acceptInbound(envelope(place, freshPerson().lid))
      const found = await stats(place)
      expect(found.inbound).toEqual({ received: 1, inGhl: 0, waiting: 1, failed: 0, discarded: 0 })
      expect(found.outbound).toMatchObject({ accepted: 1, sent: 1, delivered: 1, read: 1, waiting: 0 })
      expect(found.hours.reduce((sum, hour) => sum + hour.inbound + hour.outbound, 0)).toBe(2)
      expect(found.timings.toWhatsApp).toEqual({ count: 1, p50Ms: 2_000, p95Ms: 2_000 })
      expect(found.timings.toPhone).toEqual({ count: 1, p50Ms: 6_000, p95Ms: 6_000 })
      expect(found.timings.toGhl).toBeNull()
      expect(found.numbers).toMatchObject([{ sessionId: place.sessionId, inbound: 1, outbound: 1 }])
    })

    it('say of many different messages within what time half of them and 19 of 20 were there', async () => {
      const place = await freshPlace(subject())
      const from = freshPerson().lid
      for (let n = 0; n < 40; n++) await messages().acceptInbound(envelope(place, from))
      // One took 1 second, the next 2, and so on to 40.
      await subject().run(
        `update bridge.messages message set state = 'delivered', acked_at = created_at,
           arrived_at = created_at + numbered.place * interval '1 second'
         from (select id, row_number() over (order by id) as place from bridge.messages
           where location_id = '${place.locationId}') numbered
         where numbered.id = message.id`,
      )
      const { timings } = await stats(place)
      expect(timings.toGhl).toEqual({ count: 40, p50Ms: 20_500, p95Ms: 38_050 })
    })

    it('of everybody come without those of each number, of which nobody reads thousands', async () => {
      const place = await freshPlace(subject())
      await sent(place)
      const { from, to } = lastDay(place)
      const everybody = await subject().store.stats.stats({ from, to })
      expect(everybody.numbers).toEqual([])
      expect(everybody.outbound.accepted).toBeGreaterThan(0)
      expect(everybody.timings.toWhatsApp?.count).toBeGreaterThan(0)
      const ofOne = await subject().store.stats.stats({ from, to, sessionId: place.sessionId })
      expect(ofOne.numbers).toMatchObject([{ sessionId: place.sessionId, outbound: 1 }])
    })

    it('note when a message was sent and when it arrived, once', async () => {
      const place = await freshPlace(subject())
      await sent(place)
      const before = await stats(place)
      await subject().run(
        `update bridge.messages set state = 'delivered' where location_id = '${place.locationId}'`,
      )
      expect((await stats(place)).timings).toEqual(before.timings)
    })

    it('are of one location only, and of the time asked for', async () => {
      const [place, other] = [await freshPlace(subject()), await freshPlace(subject())]
      await messages().acceptInbound(envelope(other, freshPerson().lid))
      expect((await stats(place)).inbound.received).toBe(0)
      const past = { ...lastDay(other), to: new Date(Date.now() - DAY_MS / 2) }
      expect((await subject().store.stats.stats(past)).hours).toEqual([])
    })
  })

  describe('the census', () => {
    const census = () => subject().store.stats.census()
    const of = (counted: Awaited<ReturnType<typeof census>>, direction: string, state: string): number =>
      counted.messages.find((each) => each.direction === direction && each.state === state)?.count ?? 0

    it('counts what came in the last day, numbers, and the queue', async () => {
      const before = await census()
      const place = await freshPlace(subject())
      await sent(place)
      await messages().acceptInbound(envelope(place, freshPerson().lid))
      const after = await census()
      expect(of(after, 'inbound', 'queued') - of(before, 'inbound', 'queued')).toBe(1)
      expect(of(after, 'outbound', 'read') - of(before, 'outbound', 'read')).toBe(1)
      const numbers = (counted: typeof before) => counted.sessions.reduce((sum, { count }) => sum + count, 0)
      expect(numbers(after) - numbers(before)).toBe(1)
      expect(after.queue.waiting).toBeGreaterThan(0)
      expect(after.queue.oldestWaitingMs).toBeGreaterThanOrEqual(0)
    })

    it('tells waiting, parked and dead apart, and forgets what is older than a day', async () => {
      const place = await freshPlace(subject())
      await messages().acceptInbound(envelope(place, freshPerson().lid))
      await messages().acceptInbound(envelope(place, freshPerson().lid))
      const failure = { code: 'TEST', message: 'for the test' }
      const { jobs } = await subject().store.outbox.claim(2, 60_000)
      const [parked, dead] = jobs
      if (parked === undefined || dead === undefined) throw new Error('two jobs')
      await subject().store.outbox.park(parked, 60_000, failure)
      await subject().store.outbox.bury(dead, failure)
      const now = await census()
      expect(now.queue).toEqual({ waiting: 0, parked: 1, dead: 1, oldestWaitingMs: null })
      await subject().run(
        `update bridge.messages set created_at = now() - interval '25 hours' where location_id = '${place.locationId}'`,
      )
      const later = await census()
      expect(of(now, 'inbound', 'queued') - of(later, 'inbound', 'queued')).toBe(2)
    })
  })

  describe('one message by its id', () => {
    it('is found, and unknown when there is none', async () => {
      const place = await freshPlace(subject())
      await messages().acceptInbound(envelope(place, freshPerson().lid))
      const { messages: rows } = await messages().list({ locationId: place.locationId, limit: 1 })
      const [row] = rows
      if (row === undefined) throw new Error('no message')
      expect(await messages().find(row.id)).toEqual(row)
      expect(await messages().find('nobody' as typeof row.id)).toBeUndefined()
    })
  })
}
