/** Two locations through one worker on a real store, where one of them has more waiting than its turns last for. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Job } from '../../../src/bridge/storage/outbox.ts'
import { systemClock } from '../../../src/core/clock.ts'
import type { LocationId } from '../../../src/core/ids.ts'
import { OutboxWorker } from '../../../src/outbox/worker.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { agentMessage, freshPlace, type Place, partsOf, type Subject, subjectOf } from '../store/subject.ts'

/** More than a node works on at once. */
const BACKLOG = 600

let target: TestDatabase
let subject: Subject
beforeAll(async () => {
  target = await freshDatabase()
  subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
})
afterAll(async () => {
  await subject.store.close()
  await target.drop()
})

it('a location whose jobs all wait for their turn keeps no other from its own', async () => {
  const [busy, idle] = [await freshPlace(subject), await freshPlace(subject)]
  const enqueue = (place: Place) => subject.store.messages.acceptOutbound(agentMessage(place), partsOf('hi'))
  for (let n = 0; n < BACKLOG; n += 1) await enqueue(busy)

  const turn = Promise.withResolvers<void>()
  const begun: LocationId[] = []
  const handle = async ({ locationId }: Job): Promise<void> => {
    begun.push(locationId)
    if (locationId === busy.locationId) await turn.promise
  }
  let claims = 0
  const { outbox } = subject.store
  const worker = new OutboxWorker({
    outbox: {
      ...outbox,
      claim: (...args) => {
        claims += 1
        return outbox.claim(...args)
      },
    },
    handlers: {
      inbound: handle,
      outbound: handle,
      ghl_status: handle,
      note: handle,
      contact: handle,
      read: handle,
    },
    locations: () => [busy.locationId, idle.locationId],
    onDead: async () => undefined,
    clock: systemClock,
    log: silentLog,
  })
  worker.start()
  await waitFor('the full hands of the busy location', () => begun.length >= 32)
  const claimsBefore = claims
  await new Promise((resolve) => setTimeout(resolve, 500))
  // What cannot be taken is not asked for again and again.
  expect(claims - claimsBefore).toBeLessThan(5)

  await enqueue(idle)
  worker.nudge()
  await waitFor('the idle location’s job', () => begun.includes(idle.locationId), 2_000)
  expect(begun.filter((locationId) => locationId === busy.locationId).length).toBe(32)

  turn.resolve()
  await waitFor('the whole backlog', () => begun.length === BACKLOG + 1)
  await worker.stop()
})
