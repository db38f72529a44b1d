import { describe, expect, it } from 'vitest'
import type { Claim, Job } from '../../../src/bridge/storage/outbox.ts'
import type { LocationId } from '../../../src/core/ids.ts'
import {
  agentMessage,
  envelope,
  expireLeases,
  expireWaits,
  freshPerson,
  freshPlace,
  ghlContactId,
  harmless,
  LEASE_MS,
  messageIdOf,
  type Place,
  partsOf,
  type Subject,
  uncertain,
} from './subject.ts'

const WAIT_MS = 600_000

export function describeOutbox(subject: () => Subject): void {
  const outbox = () => subject().store.outbox
  const claimAll = async () => (await outbox().claim(100, LEASE_MS)).jobs
  const claimOne = async (): Promise<Job> => {
    const [job] = await claimAll()
    if (job === undefined) throw new Error('nothing to claim')
    return job
  }
  /** A lane with as many messages as texts; returns what their jobs say, in order. */
  const enqueue = async (place: Place, ...texts: readonly string[]) => {
    await subject().store.messages.acceptOutbound(agentMessage(place), partsOf(...texts))
  }
  const textOf = async (job: Job) => {
    const work = await subject().store.messages.findOutboundWork(messageIdOf(job))
    return work?.part.kind === 'text' ? work.part.text : undefined
  }

  describe('the outbox', () => {
    it('hands out one job of a lane at a time, in order', async () => {
      await enqueue(await freshPlace(subject()), 'a', 'b')
      const first = await claimOne()
      expect(first).toMatchObject({ kind: 'outbound', attempts: 1, mayHaveHappened: false })
      expect(await textOf(first)).toBe('a')
      expect(await claimAll()).toEqual([])
      const second = await outbox().complete(first, LEASE_MS)
      expect(second && (await textOf(second))).toBe('b')
      expect(second && (await outbox().complete(second, LEASE_MS))).toBeUndefined()
      expect(await outbox().depth()).toEqual({ waiting: 0, parked: 0, dead: 0 })
    })

    it('claims each lane once, up to the limit', async () => {
      const place = await freshPlace(subject())
      for (const text of ['a', 'b', 'c']) await enqueue(place, text)
      const two = (await outbox().claim(2, LEASE_MS)).jobs
      const rest = (await outbox().claim(2, LEASE_MS)).jobs
      expect([two.length, rest.length]).toEqual([2, 1])
      expect(new Set([...two, ...rest].map((job) => job.lane)).size).toBe(3)
    })

    it('takes first from the location that has fewest in hand, and none from one whose hands are full', async () => {
      const [busy, idle] = [await freshPlace(subject()), await freshPlace(subject())]
      for (let n = 0; n < 5; n += 1) await enqueue(busy, 'busy')
      for (let n = 0; n < 2; n += 1) await enqueue(idle, 'idle')
      const locations = [busy.locationId, idle.locationId]
      const claim = (limit: number, ...inHand: [LocationId, number][]) =>
        outbox().claim(limit, LEASE_MS, locations, { perLocation: 3, inHand: new Map(inHand) })
      const of = ({ jobs }: Claim) =>
        jobs.map(({ locationId }) => (locationId === idle.locationId ? 'idle' : 'busy'))

      expect(of(await claim(2, [busy.locationId, 1]))).toEqual(['idle', 'busy'])
      const rest = await claim(10, [busy.locationId, 2], [idle.locationId, 1])
      expect(of(rest)).toEqual(['idle', 'busy'])
      // Three more are due, but not to be taken before a job of that location is settled.
      const none = await claim(10, [busy.locationId, 3], [idle.locationId, 2])
      expect(none.jobs).toEqual([])
      expect(none.nextInMs).toBeGreaterThan(1_000)
      expect(of(await outbox().claim(10, LEASE_MS))).toEqual(['busy', 'busy', 'busy'])
    })

    it('holds back the lane of a failed job and no other', async () => {
      const place = await freshPlace(subject())
      await enqueue(place, 'stuck', 'behind')
      await outbox().retry(await claimOne(), WAIT_MS, harmless)
      await enqueue(place, 'elsewhere')
      const claimed = await claimAll()
      expect(await Promise.all(claimed.map(textOf))).toEqual(['elsewhere'])
      await expireWaits(subject())
      const again = await claimOne()
      expect(await textOf(again)).toBe('stuck')
      expect(again).toMatchObject({ attempts: 2, mayHaveHappened: false })
    })

    it('says that an earlier attempt may have happened when its outcome was uncertain', async () => {
      await enqueue(await freshPlace(subject()), 'x')
      await outbox().retry(await claimOne(), 0, uncertain)
      const second = await claimOne()
      expect(second.mayHaveHappened).toBe(true)
      await outbox().retry(second, 0, harmless)
      expect((await claimOne()).mayHaveHappened).toBe(true) // the first attempt is as uncertain as ever
    })

    it('gives a lane away when its lease ends, and says that the attempt may have happened', async () => {
      await enqueue(await freshPlace(subject()), 'x', 'y')
      const lost = await claimOne()
      await expireLeases(subject())
      const again = await claimOne()
      expect(again).toMatchObject({ jobId: lost.jobId, attempts: 2, mayHaveHappened: true })

      // The one that overran changes nothing any more.
      expect(await outbox().complete(lost, LEASE_MS)).toBeUndefined()
      await outbox().retry(lost, 0, harmless)
      await outbox().park(lost, 0, harmless)
      await outbox().bury(lost, harmless)
      expect(await claimAll()).toEqual([])
      expect(await textOf(again)).toBe('x')
      const next = await outbox().complete(again, LEASE_MS)
      expect(next && (await textOf(next))).toBe('y')
    })

    it('gives a parked attempt back, and its certainty with it', async () => {
      const place = await freshPlace(subject())
      await enqueue(place, 'x')
      await outbox().park(await claimOne(), WAIT_MS, { code: 'WA_OFFLINE', message: 'offline' })
      expect(await claimAll()).toEqual([])
      expect(await outbox().depth()).toEqual({ waiting: 0, parked: 1, dead: 0 })
      await outbox().wake(place.locationId)
      const again = await claimOne()
      expect(again).toMatchObject({ attempts: 1, mayHaveHappened: false })

      await outbox().retry(again, 0, uncertain)
      await outbox().park(await claimOne(), 0, { code: 'WA_OFFLINE', message: 'offline' })
      expect(await claimOne()).toMatchObject({ attempts: 2, mayHaveHappened: true })
    })

    it('wakes the parked lanes of one location, not those that back off, and no other location', async () => {
      const [here, there] = [await freshPlace(subject()), await freshPlace(subject())]
      for (const place of [here, there]) await enqueue(place, 'parked')
      for (const job of await claimAll()) await outbox().park(job, WAIT_MS, harmless)
      await enqueue(here, 'failed')
      await outbox().retry(await claimOne(), WAIT_MS, harmless)
      await outbox().wake(here.locationId)
      const woken = await claimAll()
      expect(await Promise.all(woken.map(textOf))).toEqual(['parked'])
      const work = await Promise.all(
        woken.map((job) => subject().store.messages.findOutboundWork(messageIdOf(job))),
      )
      expect(work[0]?.row.locationId).toBe(here.locationId)
    })

    it('does not sleep through a wake that came while the job was being parked', async () => {
      const place = await freshPlace(subject())
      await enqueue(place, 'x')
      const job = await claimOne()
      await outbox().wake(place.locationId)
      await outbox().park(job, WAIT_MS, { code: 'WA_OFFLINE', message: 'offline' })
      expect(await claimAll()).toHaveLength(1)
    })

    it('ends the back-off that a cured number or GHL caused, and no other', async () => {
      const place = await freshPlace(subject())
      const fail = async (text: string, code: string) => {
        await enqueue(place, text)
        await outbox().retry(await claimOne(), WAIT_MS, { code, message: '', mayHaveHappened: false })
      }
      await fail('number', 'WA_SEND_TIMEOUT')
      await fail('ghl', 'GHL_UNAVAILABLE')
      await fail('file', 'MEDIA_FETCH_FAILED')
      await outbox().wake(place.locationId, 'WA')
      expect(await Promise.all((await claimAll()).map(textOf))).toEqual(['number'])
      await outbox().wake(place.locationId, 'GHL')
      expect(await Promise.all((await claimAll()).map(textOf))).toEqual(['ghl'])
    })

    it('does not back off from what was cured while the attempt was failing', async () => {
      const place = await freshPlace(subject())
      await enqueue(place, 'x')
      const job = await claimOne()
      await outbox().wake(place.locationId, 'WA')
      await outbox().retry(job, WAIT_MS, { code: 'WA_SEND_TIMEOUT', message: '', mayHaveHappened: true })
      const again = await claimOne()
      expect(again).toMatchObject({ attempts: 2, mayHaveHappened: true })
      await outbox().retry(again, WAIT_MS, { code: 'WA_SEND_TIMEOUT', message: '', mayHaveHappened: true })
      expect(await claimAll()).toEqual([])
    })

    it('buries a job and lets its lane go on', async () => {
      await enqueue(await freshPlace(subject()), 'bad', 'good')
      await outbox().bury(await claimOne(), { code: 'WA_SEND_REJECTED', message: 'refused' })
      const next = await claimOne()
      expect(await textOf(next)).toBe('good')
      expect((await outbox().depth()).dead).toBe(1)
    })

    it('says when the next lane can be claimed', async () => {
      expect((await outbox().claim(1, LEASE_MS)).nextInMs).toBeUndefined()
      await enqueue(await freshPlace(subject()), 'x')
      await outbox().retry(await claimOne(), 60_000, harmless)
      const { nextInMs } = await outbox().claim(1, LEASE_MS)
      expect(nextInMs).toBeGreaterThan(50_000)
      expect(nextInMs).toBeLessThanOrEqual(60_000)
    })

    it('answers a repeated claim and a repeated complete with the same jobs', async () => {
      await enqueue(await freshPlace(subject()), 'a', 'b')
      const { database } = subject()
      const claim = { limit: 5, leaseMs: LEASE_MS, claimId: 'claim-1' }
      const first = await database.call('claim', { ...claim, isRepeat: false })
      expect(await database.call('claim', { ...claim, isRepeat: true })).toMatchObject({
        jobs: (first as { jobs: Job[] }).jobs,
      })
      const [job] = (first as { jobs: Job[] }).jobs
      if (job === undefined) throw new Error('one job')
      const next = await outbox().complete(job, LEASE_MS)
      expect(next).toBeDefined()
      expect(await outbox().complete(job, LEASE_MS)).toEqual(next)
    })

    it('shows attempts and the next attempt on the message, also after the job is gone', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      await messages.acceptInbound(envelope(place, freshPerson().lid))
      const job = await claimOne()
      await outbox().retry(job, 60_000, harmless)
      const find = async () => (await messages.findInboundWork(messageIdOf(job)))?.row
      const waiting = await find()
      expect(waiting?.attempts).toBe(1)
      expect(waiting?.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now() + 30_000)
      await expireWaits(subject())
      const again = await claimOne()
      await messages.giveUp(again, { code: 'GHL_REJECTED', message: 'no', mayHaveHappened: false })
      await messages.discardByHand(messageIdOf(again), { code: 'DISCARDED', message: 'dropped' })
      expect(await find()).toMatchObject({ attempts: 2, nextAttemptAt: undefined, state: 'failed' })
    })

    it('keeps the order of a chat when several writers fill it at once', async () => {
      const { messages } = subject().store
      const place = await freshPlace(subject())
      const ghlContact = ghlContactId()
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let turn = 0; turn < 5; turn++) {
          const message = agentMessage(place, { ghlContactId: ghlContact })
          await messages.acceptOutbound(message, partsOf(`${writer}/${turn}/0`, `${writer}/${turn}/1`))
        }
      })
      await Promise.all(writers)
      const seen: string[] = []
      for (let job: Job | undefined = await claimOne(); job; job = await outbox().complete(job, LEASE_MS))
        seen.push((await textOf(job)) ?? '')
      expect(seen).toHaveLength(80)
      for (let writer = 0; writer < 8; writer++) {
        const own = seen.filter((text) => text.startsWith(`${writer}/`))
        expect(own).toEqual([...own].sort())
      }
      // The parts of one message are never torn apart.
      for (let index = 0; index < seen.length; index += 2)
        expect(seen[index]?.slice(0, -1)).toBe(seen[index + 1]?.slice(0, -1))
    })
  })
}
