import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../../src/core/message.ts'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  ghlContactId,
  LEASE_MS,
  messageIdOf,
  type Place,
  partsOf,
  type Subject,
  waId,
} from './subject.ts'

export function describeGroups(subject: () => Subject): void {
  const messages = () => subject().store.messages
  const group = () => `120363${freshPerson().lid.slice(0, 12)}@g.us` as const
  const claim = async (place: Place) =>
    (await subject().store.outbox.claim(100, LEASE_MS, [place.locationId])).jobs
  const workOf = async (place: Place) => {
    const [job, ...others] = await claim(place)
    if (job === undefined || others.length > 0) throw new Error('not one job')
    const work = await messages().findInboundWork(messageIdOf(job))
    if (work === undefined) throw new Error('no work')
    return work
  }
  /** Another number of the same location. */
  const second = async (place: Place): Promise<Place> => {
    const other = await freshPlace(subject())
    return { ...place, sessionId: other.sessionId }
  }

  describe('groups', () => {
    it('are one contact, which no member’s name is given to, answered by the number that heard last', async () => {
      const place = await freshPlace(subject())
      const chat = group()
      const first = envelope(place, chat, { author: freshPerson().lid })
      expect(await messages().acceptInbound(first)).toBe('enqueued')
      const { contact, envelope: kept } = await workOf(place)
      expect(kept).toEqual(first)
      expect(contact).toMatchObject({ chat, lid: undefined, pn: undefined, pushName: undefined })
      expect(contact.lastSessionId).toBe(place.sessionId)
      const other = await second(place)
      await messages().acceptInbound(envelope(other, chat, { author: other.sessionId, fromMe: true }))
      expect((await workOf(place)).contact).toMatchObject({
        contactId: contact.contactId,
        lastSessionId: other.sessionId,
      })
    })

    it('show a message once, however many numbers of the location are members', async () => {
      const place = await freshPlace(subject())
      const other = await second(place)
      const chat = group()
      const author = freshPerson().lid
      const heard = envelope(place, chat, { author })
      expect(await messages().acceptInbound(heard)).toBe('enqueued')
      await subject().store.signal.write(other.sessionId, {
        journal: [{ waMessageId: heard.waMessageId, sender: author, entry: '{}' }],
      })
      expect(await messages().acceptInbound({ ...heard, ...other })).toBe('duplicate')
      expect(await subject().store.signal.readJournal(other.sessionId)).toEqual([])
      // What the other number typed is heard here as a member's word.
      const typed = envelope(other, chat, { author: freshPerson().pn, fromMe: true })
      expect(await messages().acceptInbound(typed)).toBe('enqueued')
      expect(await messages().acceptInbound({ ...typed, ...place, fromMe: false })).toBe('duplicate')
      // The same id from another member is another message.
      expect(await messages().acceptInbound({ ...heard, author: freshPerson().lid })).toBe('enqueued')
    })

    it('do not bring an agent’s words back by another number', async () => {
      const place = await freshPlace(subject())
      const other = await second(place)
      const chat = group()
      await messages().acceptInbound(envelope(place, chat, { author: freshPerson().lid }))
      const { contact } = await workOf(place)
      const linked = ghlContactId()
      await subject().store.contacts.linkGhl(contact.contactId, linked)
      const [part] = partsOf('from an agent')
      if (part === undefined) throw new Error('one part')
      await messages().acceptOutbound(agentMessage(place, { ghlContactId: linked }), [part])
      const [job] = await claim(place)
      const composed = Buffer.from('bytes')
      await messages().reserve(messageIdOf(job ?? { subject: '' }), {
        sessionId: place.sessionId,
        chat,
        composed,
      })
      const echo = envelope(other, chat, { author: freshPerson().pn, waMessageId: part.waMessageId })
      expect(await messages().acceptInbound(echo)).toBe('duplicate')
    })

    it('tell what happens in them only where GHL shows them', async () => {
      const place = await freshPlace(subject())
      const chat = group()
      const event = (): Envelope =>
        envelope(place, chat, {
          author: chat,
          waMessageId: waId(),
          content: { kind: 'notice', waKind: 'groupEvent', text: '[Ana left the group.]' },
        })
      const { groups } = subject().store
      expect(await groups.acceptEvent(event())).toBe('unknown_group')
      expect(await claim(place)).toEqual([])
      await messages().acceptInbound(envelope(place, chat, { author: freshPerson().lid }))
      const { contact } = await workOf(place)
      await subject().store.contacts.linkGhl(contact.contactId, ghlContactId())
      const told = event()
      expect(await groups.acceptEvent(told)).toBe('enqueued')
      expect(await groups.acceptEvent(told)).toBe('duplicate')
    })

    it('keep the name that we gave them', async () => {
      const place = await freshPlace(subject())
      await messages().acceptInbound(envelope(place, group(), { author: freshPerson().lid }))
      const { contact } = await workOf(place)
      const { groups } = subject().store
      expect(await groups.findName(contact.contactId)).toBeUndefined()
      for (const name of ['Tulip fans', 'Rose fans']) {
        await groups.recordName(contact.contactId, name)
        expect(await groups.findName(contact.contactId)).toBe(name)
      }
    })
  })
}
