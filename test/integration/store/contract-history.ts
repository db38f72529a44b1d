import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../../src/core/message.ts'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  ghlContactId,
  ghlConversationId,
  ghlMessageId,
  harmless,
  LEASE_MS,
  messageIdOf,
  type Place,
  partsOf,
  type Subject,
} from './subject.ts'

const PAIRED_AT = new Date('2026-11-20T12:00:00Z')
const PACE = { perTurn: 2, inFlight: 3, quietMs: 0 }

export function describeHistory(subject: () => Subject): void {
  const history = () => subject().store.history
  const outbox = () => subject().store.outbox

  const begun = async (): Promise<Place> => {
    const place = await freshPlace(subject())
    await history().begin({ ...place, days: 30, pairedAt: PAIRED_AT })
    return place
  }
  const past = (place: Place, text: string, minute: number, change: Partial<Envelope> = {}): Envelope =>
    envelope(place, freshPerson().lid, {
      content: { kind: 'text', text },
      sentAt: new Date(PAIRED_AT.getTime() - 86_400_000 + minute * 60_000),
      isHistory: true,
      ...change,
    })
  const release = (place: Place, pace = PACE) => history().release([place.locationId], pace)
  const claimTexts = async (place: Place) => {
    const { jobs } = await outbox().claim(100, LEASE_MS, [place.locationId])
    const works = await Promise.all(
      jobs.map((job) => subject().store.messages.findInboundWork(messageIdOf(job))),
    )
    const texts = works.map((work) =>
      work?.envelope.content.kind === 'text' ? work.envelope.content.text : '',
    )
    return { jobs, texts: texts.sort() }
  }

  describe('history', () => {
    it('is recorded once, and handed out a few at a time, oldest first, whatever came when', async () => {
      const place = await begun()
      const messages = [past(place, 'd', 4), past(place, 'a', 1), past(place, 'c', 3), past(place, 'b', 2)]
      expect(await history().accept(place, messages)).toBe(4)
      expect(await history().accept(place, messages)).toBe(0)
      expect(await release(place)).toEqual({ released: 2, open: 1 })
      expect((await claimTexts(place)).texts).toEqual(['a', 'b'])
      // Three at most are under way.
      expect(await release(place)).toEqual({ released: 1, open: 1 })
      expect((await claimTexts(place)).texts).toEqual(['c'])
      expect(await release(place)).toEqual({ released: 0, open: 1 })
      expect(await history().find(place.sessionId)).toMatchObject({
        state: 'importing',
        found: 4,
        imported: 0,
      })
    })

    it('gives back the message as it was, with its date', async () => {
      const place = await begun()
      const { lid, pn } = freshPerson()
      const sent = past(place, 'once', 1, { chat: lid, chatAlt: pn, author: lid, fromMe: true })
      await history().accept(place, [sent])
      await release(place)
      const { jobs } = await claimTexts(place)
      const work = await subject().store.messages.findInboundWork(messageIdOf(jobs[0] ?? { subject: '' }))
      expect(work?.envelope).toEqual(sent)
      expect(work?.row).toMatchObject({ ...place, direction: 'outbound', kind: 'text', state: 'queued' })
      expect(work?.contact).toMatchObject({ lid, pn, lastSessionId: place.sessionId, pushName: undefined })
    })

    it('waits until the phone is quiet', async () => {
      const place = await begun()
      await history().accept(place, [past(place, 'a', 1)])
      expect(await release(place, { ...PACE, quietMs: 60_000 })).toEqual({ released: 0, open: 1 })
      expect(await history().find(place.sessionId)).toMatchObject({ state: 'collecting' })
      expect(await release(place)).toEqual({ released: 1, open: 1 })
    })

    it('keeps the order of a chat, and never stands before what is live', async () => {
      const place = await begun()
      const { lid } = freshPerson()
      const chat = { chat: lid, author: lid }
      await history().accept(place, [past(place, 'old', 1, chat), past(place, 'older', 0, chat)])
      await subject().store.messages.acceptInbound(
        envelope(place, lid, { content: { kind: 'text', text: 'now' } }),
      )
      expect(await release(place)).toEqual({ released: 0, open: 1 })
      const live = await claimTexts(place)
      expect(live.texts).toEqual(['now'])
      expect(await release(place)).toEqual({ released: 2, open: 1 })
      const first = await claimTexts(place)
      expect(first.texts).toEqual(['older'])
      // A live message of the same chat is taken while the past is under way.
      await subject().store.messages.acceptInbound(
        envelope(place, lid, { content: { kind: 'text', text: 'new' } }),
      )
      for (const job of live.jobs) {
        const next = await outbox().complete(job, LEASE_MS)
        expect(
          next && (await subject().store.messages.findInboundWork(messageIdOf(next)))?.envelope.content,
        ).toEqual({ kind: 'text', text: 'new' })
      }
    })

    it('passes over what is known: live, from another number of the location, and sent by us', async () => {
      const place = await begun()
      const { lid, pn } = freshPerson()
      const live = past(place, 'live', 1, { chat: lid, chatAlt: pn, author: lid })
      await subject().store.messages.acceptInbound(live)
      const elsewhere = { ...place, sessionId: (await freshPlace(subject())).sessionId }
      const ours = agentMessage(place)
      const parts = partsOf('from an agent')
      await subject().store.messages.acceptOutbound(ours, parts)
      const echo = past(place, 'from an agent', 2, { chat: lid, author: pn, fromMe: true })
      const again = [
        { ...live, chat: pn },
        { ...echo, waMessageId: parts[0]?.waMessageId ?? live.waMessageId },
      ]
      expect(await history().accept(place, again)).toBe(0)
      await history().begin({ ...elsewhere, days: 30, pairedAt: PAIRED_AT })
      expect(
        await history().accept(
          elsewhere,
          again.map((each) => ({ ...each, ...elsewhere })),
        ),
      ).toBe(0)
      // The same id from the other side is another message.
      expect(await history().accept(place, [{ ...live, fromMe: true }])).toBe(1)
    })

    it('counts, says when it is done, writes no note for what failed, and goes on when more comes', async () => {
      const place = await begun()
      await history().accept(place, [past(place, 'a', 1), past(place, 'b', 2)])
      await release(place)
      const { jobs } = await claimTexts(place)
      const [first, second] = jobs
      if (first === undefined || second === undefined) throw new Error('two jobs')
      await subject().store.contacts.linkGhl(
        (await subject().store.messages.findInboundWork(messageIdOf(second)))?.contact.contactId ??
          (() => {
            throw new Error('no contact')
          })(),
        ghlContactId(),
      )
      await subject().store.messages.recordFiled(messageIdOf(first), {
        ghlMessageId: ghlMessageId(),
        ghlConversationId: ghlConversationId(),
      })
      await outbox().complete(first, LEASE_MS)
      await subject().store.messages.giveUp(second, harmless)
      expect(await release(place)).toEqual({ released: 0, open: 0 })
      expect(await history().find(place.sessionId)).toMatchObject({
        state: 'done',
        days: 30,
        found: 2,
        imported: 1,
        failed: 1,
        finishedAt: expect.any(Date) as Date,
      })
      expect((await outbox().claim(10, LEASE_MS, [place.locationId])).jobs).toEqual([])
      await history().accept(place, [past(place, 'c', 3)])
      expect(await history().find(place.sessionId)).toMatchObject({
        state: 'collecting',
        finishedAt: undefined,
      })
      expect(await release(place)).toMatchObject({ released: 1 })
    })

    it('is not begun again by a repeat, but by the next pairing', async () => {
      const place = await begun()
      await history().accept(place, [past(place, 'a', 1)])
      await history().begin({ ...place, days: 90, pairedAt: PAIRED_AT })
      expect(await history().find(place.sessionId)).toMatchObject({ days: 30, found: 1 })
      await history().begin({ ...place, days: 90, pairedAt: new Date(PAIRED_AT.getTime() + 1_000) })
      expect(await history().find(place.sessionId)).toMatchObject({ state: 'collecting', days: 90, found: 0 })
      // What the first pairing had found is still brought.
      expect(await release(place)).toMatchObject({ released: 1 })
    })

    it('is handed out only for the locations asked for, and unknown where there was none', async () => {
      const place = await begun()
      await history().accept(place, [past(place, 'a', 1)])
      const other = await freshPlace(subject())
      expect(await release(other)).toEqual({ released: 0, open: 0 })
      expect(await history().find(other.sessionId)).toBeUndefined()
    })
  })
}
