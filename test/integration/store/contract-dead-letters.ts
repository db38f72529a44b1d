import { describe, expect, it } from 'vitest'
import type { Job } from '../../../src/bridge/storage/outbox.ts'
import { spanOf, UTC } from '../../../src/core/days.ts'
import type { MessageId } from '../../../src/core/ids.ts'
import {
  agentMessage,
  envelope,
  expireLeases,
  freshPerson,
  freshPlace,
  ghlContactId,
  ghlConversationId,
  ghlMessageId,
  LEASE_MS,
  messageIdOf,
  type Place,
  partsOf,
  type Subject,
  uncertain,
} from './subject.ts'

const REFUSED = {
  code: 'WA_NOT_ON_WHATSAPP',
  message: 'not there',
  action: 'Check it.',
  mayHaveHappened: false,
}
const HELD = { code: 'HELD_TOO_OLD', message: 'late', action: 'Retry or discard.' }
const DISCARDED = { code: 'DISCARDED', message: 'dropped by hand' }

export function describeDeadLetters(subject: () => Subject): void {
  const messages = () => subject().store.messages
  const outbox = () => subject().store.outbox
  const claim = async (): Promise<readonly Job[]> => (await outbox().claim(100, LEASE_MS)).jobs
  const claimOnly = async (kind: Job['kind']): Promise<Job> => {
    const jobs = await claim()
    const [job, ...others] = jobs.filter((each) => each.kind === kind)
    if (job === undefined || others.length > 0) throw new Error(`${jobs.length} jobs, not one ${kind}`)
    return job
  }
  const rowOf = async (place: Place, id: MessageId) => {
    const { messages: rows } = await messages().list({ locationId: place.locationId, limit: 200 })
    return rows.find((row) => row.id === id)
  }
  /** One agent's message whose delivery was given up. */
  async function deadOutbound(place: Place, change: Parameters<typeof agentMessage>[1] = {}) {
    const message = agentMessage(place, change)
    const [part] = partsOf('hello')
    if (part === undefined) throw new Error('one part')
    await messages().acceptOutbound(message, [part])
    const job = await claimOnly('outbound')
    await messages().giveUp(job, REFUSED)
    return { message, job, id: messageIdOf(job), waMessageId: part.waMessageId }
  }
  const reserve = (place: Place, job: Job) =>
    messages().reserve(messageIdOf(job), {
      sessionId: place.sessionId,
      chat: freshPerson().lid,
      composed: Buffer.from('bytes'),
    })

  describe('a message that is given up', () => {
    it('is failed, a dead letter, and owed to GHL as a status and a note, all at once', async () => {
      const place = await freshPlace(subject())
      const { id, message } = await deadOutbound(place)
      const { mayHaveHappened, ...error } = REFUSED
      expect(await rowOf(place, id)).toMatchObject({ state: 'failed', error, attempts: 1 })
      expect(await outbox().depth()).toEqual({ waiting: 2, parked: 0, dead: 1 })
      const owed = await claim()
      expect(owed.map(({ kind, subject: what }) => `${kind} ${what}`).sort()).toEqual([
        `ghl_status ${place.locationId}/${message.ghlMessageId}`,
        `note ${id}`,
      ])
      expect(owed.find(({ kind }) => kind === 'note')?.lane).toBe(`note:${place.locationId}:${id}`)
    })

    it('is not given up by a worker that has lost it', async () => {
      const place = await freshPlace(subject())
      await messages().acceptOutbound(agentMessage(place), partsOf('x'))
      const lost = await claimOnly('outbound')
      await expireLeases(subject())
      const again = await claimOnly('outbound')
      await messages().giveUp(lost, REFUSED)
      expect(await rowOf(place, messageIdOf(again))).toMatchObject({ state: 'queued', error: undefined })
      expect((await outbox().depth()).dead).toBe(0)
    })
  })

  describe('a retry by hand', () => {
    it('enqueues a dead message once more, with its WhatsApp id and fresh attempts', async () => {
      const place = await freshPlace(subject())
      const { id, waMessageId } = await deadOutbound(place)
      await claim()
      const byHand = await messages().retryByHand(id)
      expect(byHand).toMatchObject({
        wasWaiting: true,
        row: { state: 'queued', error: undefined, attempts: 0, waMessageId },
      })
      expect(await claimOnly('outbound')).toMatchObject({ subject: id, attempts: 1, mayHaveHappened: false })
      expect((await outbox().depth()).dead).toBe(0)
    })

    it('takes its place at the end of the chat’s lane', async () => {
      const place = await freshPlace(subject())
      const chat = ghlContactId()
      const { id } = await deadOutbound(place, { ghlContactId: chat })
      await claim()
      await messages().acceptOutbound(agentMessage(place, { ghlContactId: chat }), partsOf('later'))
      await messages().retryByHand(id)
      const first = await claimOnly('outbound')
      expect(first.subject).not.toBe(id)
      expect(await outbox().complete(first, LEASE_MS)).toMatchObject({ subject: id })
    })

    it.each([
      ['an earlier attempt', async (job: Job) => outbox().retry(job, 0, uncertain), false],
      ['the last attempt', async () => undefined, true],
    ])('does not forget that %s may have happened', async (_which, before, mayHaveHappened) => {
      const place = await freshPlace(subject())
      await messages().acceptOutbound(agentMessage(place), partsOf('x'))
      const first = await claimOnly('outbound')
      await before(first)
      const last = (await claim()).at(0) ?? first
      await messages().giveUp(last, { ...REFUSED, mayHaveHappened })
      await claim()
      await messages().retryByHand(messageIdOf(last))
      expect((await claimOnly('outbound')).mayHaveHappened).toBe(true)
    })

    it('brings a dead message from WhatsApp back onto its chat’s lane', async () => {
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      await messages().acceptInbound(envelope(place, lid))
      const job = await claimOnly('inbound')
      await messages().giveUp(job, { code: 'GHL_REJECTED', message: 'no', mayHaveHappened: false })
      await messages().acceptInbound(envelope(place, lid))
      await messages().retryByHand(messageIdOf(job))
      const next = await claimOnly('inbound')
      expect(next.lane).toBe(job.lane)
      expect(await outbox().complete(next, LEASE_MS)).toMatchObject({ subject: job.subject })
    })

    it('enqueues once when two people press it, and refuses what does not wait for a person', async () => {
      const place = await freshPlace(subject())
      const { id } = await deadOutbound(place)
      await claim()
      const both = await Promise.all([messages().retryByHand(id), messages().retryByHand(id)])
      expect(both.map((each) => each?.wasWaiting).sort()).toEqual([false, true])
      const job = await claimOnly('outbound')
      expect(await messages().retryByHand(id)).toMatchObject({ wasWaiting: false, row: { state: 'queued' } })
      await reserve(place, job)
      const discarded = await messages().discardByHand(id, DISCARDED)
      expect(discarded).toMatchObject({ wasWaiting: false, row: { state: 'sending' } })
    })
  })

  describe('a discard', () => {
    it('throws the dead letter away and leaves the message failed', async () => {
      const place = await freshPlace(subject())
      const { id } = await deadOutbound(place)
      const byHand = await messages().discardByHand(id, DISCARDED)
      expect(byHand).toMatchObject({
        wasWaiting: true,
        row: { state: 'failed', error: { code: 'WA_NOT_ON_WHATSAPP' }, attempts: 1 },
      })
      expect((await outbox().depth()).dead).toBe(0)
      // Second thoughts: what the thrown-away attempts did is unknown then.
      await claim()
      await messages().retryByHand(id)
      expect((await claimOnly('outbound')).mayHaveHappened).toBe(true)
    })

    it('drops a held message and has GHL told that it was not sent', async () => {
      const place = await freshPlace(subject())
      const message = agentMessage(place)
      await messages().acceptOutbound(message, partsOf('x'), HELD)
      const [held] = (await messages().list({ locationId: place.locationId, state: 'held', limit: 9 }))
        .messages
      if (held === undefined) throw new Error('one held')
      expect(await messages().discardByHand(held.id, DISCARDED)).toMatchObject({
        wasWaiting: true,
        row: { state: 'ignored', error: DISCARDED },
      })
      expect((await claimOnly('ghl_status')).subject).toBe(`${place.locationId}/${message.ghlMessageId}`)
      const status = await messages().findGhlStatus(place.locationId, message.ghlMessageId)
      expect(status).toEqual({ status: 'failed', error: DISCARDED })
    })
  })

  describe('what waits for a word', () => {
    const heldMessages = async (place: Place, count: number) => {
      for (let n = 0; n < count; n++)
        await messages().acceptOutbound(agentMessage(place), partsOf(`late ${n}`), HELD)
    }
    const stateOf = async (place: Place) => {
      const { messages: rows } = await messages().list({ locationId: place.locationId, limit: 200 })
      return rows.map(({ state }) => state).sort()
    }

    it('is counted, and retried a batch at a time, the oldest first, each once', async () => {
      const place = await freshPlace(subject())
      const asked = { state: 'held', locationId: place.locationId } as const
      expect(await messages().countWaiting(asked)).toEqual({
        ...{ messages: 0, held: 0, locations: 0, upTo: undefined },
      })
      await heldMessages(place, 5)
      const { upTo, ...counted } = await messages().countWaiting(asked)
      expect(counted).toEqual({ messages: 5, held: 5, locations: 1 })
      if (upTo === undefined) throw new Error('five wait')
      // Whoever decided has not seen this one.
      await heldMessages(place, 1)
      const done: number[] = []
      let after: string | undefined
      do {
        const batch = { limit: 2, upTo, ...(after !== undefined && { after }) }
        const settled = await messages().settleWaiting(asked, batch, { do: 'retry' })
        done.push(settled.done)
        after = settled.after
      } while (after !== undefined)
      expect(done).toEqual([2, 2, 1])
      expect(await stateOf(place)).toEqual(['held', 'queued', 'queued', 'queued', 'queued', 'queued'])
      expect(await messages().settleWaiting(asked, { limit: 2, upTo }, { do: 'retry' })).toMatchObject({
        done: 0,
      })
    })

    it('is not met again when it fails again while the others are still to come', async () => {
      const place = await freshPlace(subject())
      const { id } = await deadOutbound(place)
      await claim()
      const second = await deadOutbound(place)
      const asked = { state: 'failed', locationId: place.locationId } as const
      const first = await messages().settleWaiting(asked, { limit: 1 }, { do: 'retry' })
      await messages().giveUp(await claimOnly('outbound'), REFUSED)
      expect(await rowOf(place, id)).toMatchObject({ state: 'failed' })
      const { after = '' } = first
      await messages().settleWaiting(asked, { limit: 1, after }, { do: 'retry' })
      expect(await rowOf(place, id)).toMatchObject({ state: 'failed' })
      expect(await rowOf(place, second.id)).toMatchObject({ state: 'queued' })
    })

    it('is settled whether it failed or is held when no state is named', async () => {
      const place = await freshPlace(subject())
      await deadOutbound(place)
      await heldMessages(place, 2)
      const asked = { locationId: place.locationId }
      expect(await messages().countWaiting(asked)).toMatchObject({ messages: 3, held: 2 })
      const first = await messages().settleWaiting(asked, { limit: 2 }, { do: 'retry' })
      expect(await stateOf(place)).toEqual(['held', 'queued', 'queued'])
      const { after = '' } = first
      expect(await messages().settleWaiting(asked, { limit: 2, after }, { do: 'retry' })).toEqual({
        done: 1,
        after: undefined,
      })
      expect(await stateOf(place)).toEqual(['queued', 'queued', 'queued'])
    })

    it('is discarded in one location and left alone in another', async () => {
      const [here, there] = [await freshPlace(subject()), await freshPlace(subject())]
      await heldMessages(here, 2)
      await heldMessages(there, 1)
      const asked = { state: 'held', locationId: here.locationId } as const
      const deed = { do: 'discard', reason: DISCARDED } as const
      expect(await messages().settleWaiting(asked, { limit: 100 }, deed)).toEqual({
        done: 2,
        after: undefined,
      })
      expect(await stateOf(here)).toEqual(['ignored', 'ignored'])
      expect(await stateOf(there)).toEqual(['held'])
      expect(await messages().settleWaiting(asked, { limit: 100 }, deed)).toMatchObject({ done: 0 })
    })
  })

  describe('a held message', () => {
    it('is recorded once, in parts, without work, and goes when a person says so', async () => {
      const place = await freshPlace(subject())
      const message = agentMessage(place)
      expect(await messages().acceptOutbound(message, partsOf('a', 'b'), HELD)).toBe('held')
      expect(await messages().acceptOutbound(message, partsOf('a', 'b'), HELD)).toBe('duplicate')
      expect(await messages().acceptOutbound(message, partsOf('a', 'b'))).toBe('duplicate')
      expect(await outbox().depth()).toEqual({ waiting: 0, parked: 0, dead: 0 })
      const { messages: held } = await messages().list({
        state: 'held',
        locationId: place.locationId,
        limit: 9,
      })
      expect(held.map(({ error }) => error)).toEqual([HELD, HELD])
      expect(await messages().findGhlStatus(place.locationId, message.ghlMessageId)).toEqual({
        status: 'pending',
      })
      const id = held.at(-1)?.id
      if (id === undefined) throw new Error('two held')
      await messages().retryByHand(id)
      const job = await claimOnly('outbound')
      expect(job).toMatchObject({ subject: id, mayHaveHappened: false })
      expect(await messages().findOutboundWork(id)).toMatchObject({ isReleased: true })
    })

    it('is held by the worker too, but not against a person’s word, and not while its job is in hand', async () => {
      const place = await freshPlace(subject())
      const writtenAt = new Date('2026-11-20T08:00:00.123Z')
      await messages().acceptOutbound(agentMessage(place, { writtenAt }), partsOf('x'))
      const job = await claimOnly('outbound')
      const id = messageIdOf(job)
      expect(await messages().findOutboundWork(id)).toMatchObject({ writtenAt, isReleased: false })
      await messages().hold(id, HELD)
      expect(await messages().retryByHand(id)).toMatchObject({ wasWaiting: false, row: { state: 'held' } })
      await outbox().complete(job, LEASE_MS)
      expect(await messages().retryByHand(id)).toMatchObject({ wasWaiting: true })
      await messages().hold(id, HELD)
      expect(await rowOf(place, id)).toMatchObject({ state: 'queued' })
      await claimOnly('outbound')
    })
  })

  describe('notes', () => {
    const recover = async (
      place: Place,
      id: MessageId,
      waMessageId: Awaited<ReturnType<typeof deadOutbound>>['waMessageId'],
    ) => {
      await messages().retryByHand(id)
      const jobs = await claim()
      const job = jobs.find(({ kind }) => kind === 'outbound')
      if (job === undefined) throw new Error('the retry')
      await reserve(place, job)
      await messages().advance(place.sessionId, [waMessageId], 'sent')
      await outbox().complete(job, LEASE_MS)
    }

    it('say that a message died, once, and that it came through, once', async () => {
      const place = await freshPlace(subject())
      const { id, waMessageId, message } = await deadOutbound(place)
      expect(await messages().findNoteWork(id)).toMatchObject({
        says: 'died',
        origin: 'ghl',
        content: { kind: 'text', text: 'hello' },
        ghlContactId: message.ghlContactId,
        row: { id, error: { code: 'WA_NOT_ON_WHATSAPP' } },
      })
      for (const job of await claim()) await outbox().complete(job, LEASE_MS)
      await messages().recordNote(id, 'died')
      expect(await messages().findNoteWork(id)).toBeUndefined()

      await recover(place, id, waMessageId)
      expect((await claim()).map(({ kind }) => kind).sort()).toEqual(['ghl_status', 'note'])
      expect(await messages().findNoteWork(id)).toMatchObject({ says: 'recovered' })
      await messages().recordNote(id, 'recovered')
      await messages().advance(place.sessionId, [waMessageId], 'delivered')
      expect(await messages().findNoteWork(id)).toBeUndefined()
    })

    it('say nothing of a message that came through before anybody was told', async () => {
      const place = await freshPlace(subject())
      const { id, waMessageId } = await deadOutbound(place)
      await recover(place, id, waMessageId)
      expect(await messages().findNoteWork(id)).toBeUndefined()
    })

    it('are owed again when the message came through while the first was being written', async () => {
      const place = await freshPlace(subject())
      const { id, waMessageId } = await deadOutbound(place)
      const writing = await claimOnly('note')
      await recover(place, id, waMessageId)
      await messages().recordNote(id, 'died')
      expect(await outbox().complete(writing, LEASE_MS)).toMatchObject({ kind: 'note', subject: id })
      expect(await messages().findNoteWork(id)).toMatchObject({ says: 'recovered' })
    })

    it('of a message from WhatsApp wait for nobody when its contact never got to GHL', async () => {
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      await messages().acceptInbound(envelope(place, lid))
      const job = await claimOnly('inbound')
      const id = messageIdOf(job)
      const work = await messages().findInboundWork(id)
      await messages().giveUp(job, { code: 'GHL_REJECTED', message: 'no', mayHaveHappened: false })
      expect(await messages().findNoteWork(id)).toBeUndefined()
      const ghlContact = ghlContactId()
      if (work === undefined) throw new Error('a contact')
      await subject().store.contacts.linkGhl(work.contact.contactId, ghlContact)
      expect(await messages().findNoteWork(id)).toMatchObject({
        says: 'died',
        origin: 'customer',
        content: { kind: 'text', text: 'hello' },
        ghlContactId: ghlContact,
      })
      await messages().recordNote(id, 'died')
      await messages().retryByHand(id)
      await messages().recordFiled(id, {
        ghlMessageId: ghlMessageId(),
        ghlConversationId: ghlConversationId(),
      })
      expect(await messages().findNoteWork(id)).toMatchObject({ says: 'recovered' })
    })
  })

  it('tells GHL nothing more once it was told failed, which is final there', async () => {
    const place = await freshPlace(subject())
    const { message, id } = await deadOutbound(place)
    const status = () => messages().findGhlStatus(place.locationId, message.ghlMessageId)
    expect(await status()).toMatchObject({ status: 'failed' })
    await messages().retryByHand(id)
    expect(await status()).toEqual({ status: 'pending' }) // not told yet: it may still become anything
    await messages().recordToldFailed(place.locationId, message.ghlMessageId)
    expect(await status()).toBeUndefined()
  })

  describe('the ledger of a day', () => {
    it('accounts for everything that came, and adds up', async () => {
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      await messages().acceptInbound(envelope(place, lid))
      await messages().acceptInbound(envelope(place, lid))
      await messages().acceptInbound(envelope(place, lid, { fromMe: true }))
      // Imported today, but of another day.
      await subject().store.history.accept(place, [envelope(place, freshPerson().lid, { isHistory: true })])
      const filed = await claimOnly('inbound')
      await messages().recordFiled(messageIdOf(filed), {
        ghlMessageId: ghlMessageId(),
        ghlConversationId: ghlConversationId(),
      })
      const dead = await outbox().complete(filed, LEASE_MS)
      if (dead === undefined) throw new Error('a second one')
      await messages().giveUp(dead, REFUSED)
      await claim()

      await deadOutbound(place)
      await claim()
      await messages().acceptOutbound(agentMessage(place), partsOf('held'), HELD)
      await messages().acceptOutbound(agentMessage(place), partsOf('read'))
      const [job] = await claim()
      if (job === undefined) throw new Error('one to send')
      await reserve(place, job)
      const sent = await messages().findOutboundWork(messageIdOf(job))
      if (sent?.row.waMessageId === undefined) throw new Error('an id')
      await messages().advance(place.sessionId, [sent.row.waMessageId], 'read')
      await messages().acceptOutbound(agentMessage(place), partsOf('waits'))

      const today = new Date().toISOString().slice(0, 10)
      expect(await messages().ledger(place.locationId, spanOf(today, UTC))).toEqual({
        inbound: { received: 3, inGhl: 1, waiting: 1, failed: 1, discarded: 0 },
        outbound: {
          ...{ accepted: 4, sent: 1, delivered: 1, read: 1 },
          ...{ failed: 1, discarded: 0, held: 1, waiting: 1 },
        },
      })
      const { messages: needed } = await messages().list({
        locationId: place.locationId,
        waitsFor: 'person',
        limit: 9,
      })
      expect(needed.map(({ state }) => state).sort()).toEqual(['failed', 'failed', 'held'])
      for (const { id } of needed) await messages().discardByHand(id, DISCARDED)
      expect(await messages().ledger(place.locationId, spanOf(today, UTC))).toEqual({
        inbound: { received: 3, inGhl: 1, waiting: 1, failed: 0, discarded: 1 },
        outbound: {
          ...{ accepted: 4, sent: 1, delivered: 1, read: 1 },
          ...{ failed: 0, discarded: 2, held: 0, waiting: 1 },
        },
      })
    })

    it('begins and ends with the moments asked for, and is empty for a location that had nothing', async () => {
      const place = await freshPlace(subject())
      await messages().acceptOutbound(agentMessage(place), partsOf('first', 'last', 'next'), HELD)
      const times = ['2026-03-01T00:00:00Z', '2026-03-01T23:59:59.999Z', '2026-03-02T00:00:00Z']
      for (const [partNo, at] of times.entries()) {
        await subject().run(`update bridge.messages set created_at = '${at}'
          where location_id = '${place.locationId}' and part_no = ${partNo}`)
      }
      const accepted = async (day: string) =>
        (await messages().ledger(place.locationId, spanOf(day, UTC))).outbound.accepted
      expect(await Promise.all(['2026-02-28', '2026-03-01', '2026-03-02'].map(accepted))).toEqual([0, 2, 1])
      const elsewhere = await freshPlace(subject())
      expect(
        (await messages().ledger(elsewhere.locationId, spanOf('2026-03-01', UTC))).inbound.received,
      ).toBe(0)
    })
  })
}
