/**
 * GHL down for half an hour: the real worker, handlers and store, a GHL that refuses, and time that the test moves. The
 * program's clock is a port; the database's moves by setting its rows back.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jobHandlers } from '../../../src/bridge/jobs.ts'
import type { GhlConversations, GhlInboundMessage } from '../../../src/bridge/ports.ts'
import type { Clock } from '../../../src/core/clock.ts'
import { GhlError } from '../../../src/core/errors.ts'
import {
  parseGhlContactId,
  parseGhlConversationId,
  parseGhlMessageId,
  type WaMessageId,
} from '../../../src/core/ids.ts'
import { OutboxWorker } from '../../../src/outbox/worker.ts'
import { openEmbedded } from '../../../src/store/pglite.ts'
import { type EmbeddedFolder, freshEmbeddedStore } from '../../support/embedded-store.ts'
import { silentLog } from '../../support/silent-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { world } from '../../unit/bridge/world.ts'
import { envelope, freshPerson, freshPlace, type Place, type Subject, subjectOf } from '../store/subject.ts'

const MINUTE_MS = 60_000

class MovedClock implements Clock {
  #nowMs = Date.now()
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { untilMs: this.#nowMs + ms, wake: resolve }
    this.#sleepers.add(sleeper)
    signal?.addEventListener('abort', () => {
      this.#sleepers.delete(sleeper)
      reject(signal.reason as Error) // an abort reason is an Error throughout this program
    })
    return promise
  }

  move(ms: number): void {
    this.#nowMs += ms
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.untilMs > this.#nowMs) continue
      this.#sleepers.delete(sleeper)
      sleeper.wake()
    }
  }
}

interface Call {
  readonly atMs: number
  readonly message: GhlInboundMessage
}

/** GHL as far as it matters here: down or not, and sometimes it has taken a message although it did not say so. */
class MoodyGhl {
  isDown = false
  /** Taken, but not answered. */
  swallows: WaMessageId | undefined
  readonly calls: Call[] = []
  readonly filed: GhlInboundMessage[] = []
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly conversations: Pick<GhlConversations, 'addInbound' | 'findByAltId'> = {
    addInbound: async (message) => {
      this.calls.push({ atMs: this.#clock.nowMs(), message })
      if (this.swallows === message.altId) {
        this.swallows = undefined
        this.filed.push(message)
        throw new GhlError('GHL_TIMEOUT', 'no answer', { certainty: 'unknown' })
      }
      if (this.isDown) throw new GhlError('GHL_UNAVAILABLE', 'down')
      this.filed.push(message)
      return filing(message.altId)
    },
    findByAltId: async (_location, _contact, altId) => {
      if (this.isDown) throw new GhlError('GHL_UNAVAILABLE', 'down')
      return this.filed.some((message) => message.altId === altId) ? filing(altId) : undefined
    },
  }
}

const filing = (altId: WaMessageId) => ({
  ghlMessageId: parseGhlMessageId(`ghl-${altId}`),
  ghlConversationId: parseGhlConversationId('conversation'),
})

describe('GHL down for 30 minutes', () => {
  const clock = new MovedClock()
  const ghl = new MoodyGhl(clock)
  const people = Array.from({ length: 6 }, () => freshPerson())
  const written = new Map<string, WaMessageId[]>()
  let folder: EmbeddedFolder
  let subject: Subject
  let place: Place
  let worker: OutboxWorker

  beforeAll(async () => {
    folder = await freshEmbeddedStore()
    subject = subjectOf('embedded', await openEmbedded(folder.dir, silentLog))
    place = await freshPlace(subject)
    const { deps } = world()
    const { messages, contacts, outbox, sessions } = subject.store
    let contactsMade = 0
    worker = new OutboxWorker({
      outbox,
      handlers: jobHandlers({
        ...deps,
        messages,
        contacts,
        sessions,
        clock,
        ghlContacts: {
          ...deps.ghlContacts,
          findOrCreate: async () => {
            contactsMade += 1
            return parseGhlContactId(`contact-${contactsMade}`)
          },
        },
        conversations: { ...deps.conversations, ...ghl.conversations },
      }),
      locations: () => [place.locationId],
      onDead: () => Promise.reject(new Error('nothing dies of 30 minutes')),
      clock,
      log: silentLog,
    })
    worker.start()
  })
  afterAll(async () => {
    await worker.stop()
    await subject.store.close()
    await folder.remove()
  })

  const everybodyWrites = async () => {
    for (const { lid } of people) {
      const message = envelope(place, lid)
      written.set(lid, [...(written.get(lid) ?? []), message.waMessageId])
      await subject.store.messages.acceptInbound(message)
    }
    worker.nudge()
    await rest()
  }

  /** Nothing is due and nothing is under way. */
  const rest = async () => {
    await waitFor('the worker to rest', async () => {
      const [busy] = await subject.rows<{ count: number }>(
        `select count(*)::int as count from bridge.lanes
          where state = 'leased' or ready_at <= clock_timestamp() + interval '50 milliseconds'`,
      )
      if (busy?.count === 0) return true
      worker.nudge()
      return false
    })
  }

  /** Passes simulated time from one due lane to the next. */
  const pass = async (ms: number) => {
    const endMs = clock.nowMs() + ms
    while (clock.nowMs() < endMs) {
      const [next] = await subject.rows<{ ms: number | null }>(
        'select ceil(extract(epoch from min(ready_at) - clock_timestamp()) * 1000)::int as ms from bridge.lanes',
      )
      const stepMs = Math.min(Math.max(next?.ms ?? ms, 1), endMs - clock.nowMs())
      await subject.run(
        `update bridge.lanes set ready_at = ready_at - interval '${stepMs} milliseconds' where ready_at is not null`,
      )
      clock.move(stepMs)
      await rest()
    }
  }

  it('lets messages wait in their chats, asks ever more seldom, and delivers each once and in order afterwards', async () => {
    ghl.isDown = true
    await everybodyWrites()
    const [first] = written.get(people[0]?.lid ?? '') ?? []
    const beganAtMs = clock.nowMs()
    await everybodyWrites()
    await pass(10 * MINUTE_MS)
    ghl.swallows = first
    await everybodyWrites()
    await pass(20 * MINUTE_MS)
    await everybodyWrites()
    expect(ghl.filed.map(({ altId }) => altId)).toEqual(ghl.swallows === undefined ? [first] : [])
    expect((await subject.store.outbox.depth()).waiting).toBe(people.length * 4)

    const heads = people.map(({ lid }) => written.get(lid)?.[0])
    // The first of each chat holds back the others.
    expect(new Set(ghl.calls.map(({ message }) => message.altId))).toEqual(new Set(heads))
    for (const head of heads) {
      const atMs = ghl.calls.flatMap(({ atMs: at, message }) => (message.altId === head ? [at] : []))
      expect(atMs.length).toBeLessThanOrEqual(14)
      const gapsMs = atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0))
      expect(Math.max(...gapsMs.slice(0, 2))).toBeLessThanOrEqual(2_500)
      expect(Math.max(...gapsMs)).toBeLessThanOrEqual(15 * MINUTE_MS + 1_000)
    }
    expect(clock.nowMs() - beganAtMs).toBeGreaterThanOrEqual(30 * MINUTE_MS)

    ghl.isDown = false
    await pass(16 * MINUTE_MS)
    expect(await subject.store.outbox.depth()).toEqual({ waiting: 0, parked: 0, dead: 0 })
    expect(ghl.filed).toHaveLength(people.length * 4)
    for (const { lid } of people) {
      const ours = written.get(lid) ?? []
      expect(ghl.filed.map(({ altId }) => altId).filter((altId) => ours.includes(altId))).toEqual(ours)
    }
  }, 60_000)
})
