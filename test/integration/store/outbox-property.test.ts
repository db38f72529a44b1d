/**
 * The queue under anything that can happen to it, against a model that is as simple as the promise: per lane, jobs are done
 * in the order they were enqueued; a lane has one job in hand at a time; a job is done once; none is lost.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Job } from '../../../src/bridge/storage/outbox.ts'
import { openEmbedded } from '../../../src/store/pglite.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { type EmbeddedFolder, freshEmbeddedStore } from '../../support/embedded-store.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import {
  agentMessage,
  expireLeases,
  expireWaits,
  freshPlace,
  ghlContactId,
  harmless,
  LEASE_MS,
  partsOf,
  type Subject,
  subjectOf,
  uncertain,
} from './subject.ts'

const LANES = ['lane-a', 'lane-b', 'lane-c']
const enqueue = (subject: Subject, lane: string, message: string) =>
  subject.run(`select bridge.enqueue('${lane}', 'loc', 'inbound', '${message}')`)

type Step =
  | { readonly do: 'enqueue'; readonly lane: string }
  | { readonly do: 'claim'; readonly limit: number }
  | { readonly do: 'complete' | 'completeTwice' | 'retry' | 'park' | 'bury'; readonly pick: number }
  | { readonly do: 'expireLeases' | 'expireWaits' | 'wake' }
  | { readonly do: 'useLostClaim'; readonly pick: number }

const pick = fc.nat({ max: 20 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('enqueue' as const), lane: fc.constantFrom(...LANES) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('complete' as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('completeTwice' as const, 'retry', 'park', 'bury'), pick }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('expireLeases' as const, 'expireWaits', 'wake') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('useLostClaim' as const), pick }) },
)

/** What must be so, tracked beside the real thing. */
class Model {
  readonly waiting = new Map<string, string[]>(LANES.map((lane) => [lane, []]))
  /** In hand now, by lane: its lease has not ended. */
  readonly inHand = new Map<string, Job>()
  readonly lost: Job[] = []
  readonly uncertain = new Set<string>()

  handOut(job: Job): void {
    expect(this.inHand.has(job.lane), 'one job of a lane at a time').toBe(false)
    expect(job.subject, 'the oldest of its lane').toBe(this.waiting.get(job.lane)?.[0])
    expect(job.mayHaveHappened).toBe(this.uncertain.has(job.subject))
    this.inHand.set(job.lane, job)
  }

  /** Done or given up. */
  settle(job: Job): void {
    this.inHand.delete(job.lane)
    this.waiting.get(job.lane)?.shift()
  }

  loseAll(): void {
    for (const job of this.inHand.values()) {
      this.lost.push(job)
      this.uncertain.add(job.subject)
    }
    this.inHand.clear()
  }
}

async function play(subject: Subject, model: Model, each: Step, name: () => string): Promise<void> {
  const { outbox } = subject.store
  const held = 'pick' in each ? [...model.inHand.values()] : []
  const job = 'pick' in each && held.length > 0 ? held[each.pick % held.length] : undefined
  switch (each.do) {
    case 'enqueue': {
      const message = name()
      await enqueue(subject, each.lane, message)
      model.waiting.get(each.lane)?.push(message)
      return
    }
    case 'claim':
      for (const taken of (await outbox.claim(each.limit, LEASE_MS)).jobs) model.handOut(taken)
      return
    case 'complete':
    case 'completeTwice': {
      if (job === undefined) return
      const next = await outbox.complete(job, LEASE_MS)
      if (each.do === 'completeTwice') expect(await outbox.complete(job, LEASE_MS)).toEqual(next)
      model.settle(job)
      if (next !== undefined) model.handOut(next)
      else expect(model.waiting.get(job.lane)).toEqual([])
      return
    }
    case 'retry':
      if (job === undefined) return
      await outbox.retry(job, 600_000, each.pick % 2 === 0 ? uncertain : harmless)
      if (each.pick % 2 === 0) model.uncertain.add(job.subject)
      model.inHand.delete(job.lane)
      return
    case 'park':
      if (job === undefined) return
      await outbox.park(job, 600_000, harmless)
      model.inHand.delete(job.lane)
      return
    case 'bury':
      if (job === undefined) return
      await outbox.bury(job, harmless)
      model.settle(job)
      return
    case 'expireLeases':
      await expireLeases(subject)
      model.loseAll()
      return
    case 'expireWaits':
      return await expireWaits(subject)
    case 'wake':
      return await subject.run(
        `update bridge.lanes set state = 'ready', ready_at = clock_timestamp() where state = 'parked'`,
      )
    case 'useLostClaim':
      return await useLostClaim(subject, model, each.pick)
  }
}

/** A worker that overran its lease settles all the same: nothing may change once another has the job. */
async function useLostClaim(subject: Subject, model: Model, index: number): Promise<void> {
  const late = model.lost[index % Math.max(model.lost.length, 1)]
  const current = late && model.inHand.get(late.lane)
  if (late === undefined || current?.jobId !== late.jobId) return
  const { outbox } = subject.store
  expect(await outbox.complete(late, LEASE_MS)).toBeUndefined()
  await outbox.retry(late, 0, uncertain)
  await outbox.park(late, 0, harmless)
  await outbox.bury(late, harmless)
}

/** Everything that is left comes out, in order. */
async function drain(subject: Subject, model: Model): Promise<void> {
  const { outbox } = subject.store
  await expireLeases(subject)
  await expireWaits(subject)
  model.loseAll()
  for (;;) {
    const { jobs } = await outbox.claim(10, LEASE_MS)
    if (jobs.length === 0) break
    for (const first of jobs) {
      for (let job: Job | undefined = first; job; job = await outbox.complete(job, LEASE_MS)) {
        model.handOut(job)
        model.settle(job)
      }
    }
  }
  expect([...model.waiting.values()].flat()).toEqual([])
  expect((await outbox.depth()).waiting).toBe(0)
}

describe('the queue under anything', () => {
  let folder: EmbeddedFolder
  let target: TestDatabase
  let embedded: Subject
  let postgres: Subject
  beforeAll(async () => {
    folder = await freshEmbeddedStore()
    target = await freshDatabase()
    embedded = subjectOf('embedded', await openEmbedded(folder.dir, silentLog))
    postgres = subjectOf('postgres', await openPostgres(target.url, silentLog))
  })
  afterAll(async () => {
    await embedded.store.close()
    await postgres.store.close()
    await folder.remove()
    await target.drop()
  })

  it('keeps each lane in order and loses nothing', async () => {
    let count = 0
    const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      await embedded.run('delete from bridge.jobs; delete from bridge.lanes')
      const model = new Model()
      for (const each of steps) await play(embedded, model, each, () => `m${++count}`)
      await drain(embedded, model)
    })
    await fc.assert(property, { numRuns: 40 })
  })

  it('keeps each lane in order between several workers and writers', async () => {
    const { outbox } = postgres.store
    const lanes = Array.from({ length: 6 }, (_, index) => `busy-${index}`)
    const perLane = 40
    const done: Job[] = []
    const inHand = new Set<string>()

    const write = async (lane: string) => {
      for (let index = 0; index < perLane; index++)
        await enqueue(postgres, lane, `${lane}/${String(index).padStart(3, '0')}`)
    }
    const work = async () => {
      while (done.length < lanes.length * perLane) {
        const { jobs } = await outbox.claim(2, LEASE_MS)
        for (const first of jobs) {
          for (let job: Job | undefined = first; job; ) {
            expect(inHand.has(job.lane), 'one worker per lane').toBe(false)
            inHand.add(job.lane)
            await new Promise(setImmediate) // lets the others in
            inHand.delete(job.lane)
            if (job.attempts === 1 && job.jobId.endsWith('7')) {
              await outbox.retry(job, 0, harmless)
              break
            }
            done.push(job)
            job = await outbox.complete(job, LEASE_MS)
          }
        }
      }
    }
    await Promise.all([...lanes.map(write), work(), work(), work()])
    for (const lane of lanes) {
      const own = done.filter((job) => job.lane === lane).map((job) => job.subject)
      expect(own).toEqual([...own].sort())
      expect(own).toHaveLength(perLane)
    }
  })

  it('does each message once although it dies twice and several people press retry at any moment', async () => {
    const { outbox, messages } = postgres.store
    await postgres.run('delete from bridge.jobs; delete from bridge.lanes')
    const place = await freshPlace(postgres)
    const chats = Array.from({ length: 5 }, () => ghlContactId())
    const deaths = new Map<string, number>()
    const done: string[] = []
    const total = chats.length * 6

    const work = async () => {
      while (done.length < total) {
        for (const job of (await outbox.claim(3, LEASE_MS)).jobs) {
          const died = deaths.get(job.subject) ?? 0
          if (job.kind === 'outbound' && died < 2) {
            deaths.set(job.subject, died + 1)
            await messages.giveUp(job, { ...harmless, mayHaveHappened: false })
          } else {
            if (job.kind === 'outbound') done.push(job.subject)
            // What comes next in the lane is taken by the next claim.
            const next = await outbox.complete(job, LEASE_MS)
            if (next !== undefined) await outbox.park(next, 0, harmless)
          }
        }
      }
    }
    const press = async () => {
      while (done.length < total) {
        const failed = await messages.list({ locationId: place.locationId, state: 'failed', limit: 200 })
        await Promise.all(failed.messages.map(({ id }) => messages.retryByHand(id)))
      }
    }
    for (let turn = 0; turn < 6; turn++) {
      for (const chat of chats)
        await messages.acceptOutbound(agentMessage(place, { ghlContactId: chat }), partsOf(`turn ${turn}`))
    }
    await Promise.all([work(), work(), work(), press(), press()])
    expect(new Set(done).size).toBe(total)
    expect(done).toHaveLength(total)
    expect([...deaths.values()]).toEqual(Array.from({ length: total }, () => 2))
    expect((await outbox.depth()).dead).toBe(0)
  })
})
